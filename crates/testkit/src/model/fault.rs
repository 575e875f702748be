//! Replies that are not a stream: HTTP errors as the real service sends them, and silence.

use serde_json::json;

use super::reply::{Body, Reply, reply};

/// An HTTP status with a body that is not a stream.
pub fn http(status: u16, body: impl Into<String>) -> Reply {
    Reply { status, body: Body::Text(body.into()), ..reply() }
}

/// HTTP 429 with `retry-after` in seconds: too many requests, try again.
pub fn rate_limited(retry_after_seconds: u32) -> Reply {
    error(429, "rate_limit_exceeded", "Rate limit reached")
        .header("retry-after", retry_after_seconds.to_string())
}

/// HTTP 429 as ChatGPT plans send it when the plan is used up until a reset.
pub fn usage_limit_reached(resets_in_seconds: u64) -> Reply {
    let body = json!({"error": {
        "type": "usage_limit_reached", "message": "The usage limit has been reached",
        "plan_type": "plus", "resets_in_seconds": resets_in_seconds,
    }});
    http(429, body.to_string()).header("content-type", "application/json")
}

/// HTTP 401: no key or a wrong one.
pub fn unauthorized() -> Reply {
    error(401, "invalid_api_key", "Incorrect API key provided")
}

/// HTTP 500 or another server error.
pub fn server_error(status: u16) -> Reply {
    error(status, "server_error", "The server had an error while processing your request")
}

/// HTTP 200 with a web page, as a captive portal or a proxy sends it.
pub fn html() -> Reply {
    http(200, "<html><body>Please sign in</body></html>").header("content-type", "text/html")
}

/// Accepts the request and never answers, not even with headers.
pub fn silent() -> Reply {
    Reply { body: Body::Silence, ..reply() }
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({"error": {"type": code, "code": code, "message": message}});
    http(status, body.to_string()).header("content-type", "application/json")
}

//! Whether the model provider of Codex's configuration can be reached: its name is looked up and a connection opened and
//! closed. Nothing is sent.

use std::time::Duration;

use tokio::net::TcpStream;

use super::Check;
use crate::config::{Config, Environment};
use crate::text_file;

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The largest configuration of Codex that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// Where Codex's own provider lives, unless its configuration says otherwise.
const OPENAI: &str = "https://api.openai.com/v1";

pub(super) async fn check(config: &Config, environment: &Environment) -> Check {
    let proxy = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let proxy = proxy.into_iter().find_map(|name| environment.get(name)?.to_str());
    let url = proxy.map_or_else(|| base_url(config), str::to_owned);
    let Some((host, port)) = host_and_port(&url) else {
        return Check::warning(
            "provider",
            // It may hold a password.
            "its URL, or the proxy's, is no address that can be tried",
            "Correct the proxy's variable, or `base_url` of the provider in Codex's configuration.",
        );
    };
    let remedy =
        "Check the network, the proxy, and `base_url` of the provider in Codex's configuration.";
    let connecting = TcpStream::connect((host.as_str(), port));
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(Ok(_)) => Check::ok("provider", format!("{host}:{port} takes connections")),
        Ok(Err(error)) => Check::failure("provider", format!("{host}:{port}: {error}"), remedy),
        Err(_) => {
            let found = format!("{host}:{port} does not answer within {} s", PATIENCE.as_secs());
            Check::failure("provider", found, remedy)
        }
    }
}

/// The address of the provider that Codex's configuration chooses.
fn base_url(config: &Config) -> String {
    let configured = || {
        let text = text_file::read(&config.codex_home()?.join("config.toml"), MAX_BYTES).ok()?;
        let table: toml::Table = toml::from_str(&text).ok()?;
        let name = table.get("model_provider").and_then(toml::Value::as_str).unwrap_or("openai");
        let own = table.get("model_providers").and_then(|providers| providers.get(name));
        let own = own.and_then(|provider| provider.get("base_url"));
        let url = own.or_else(|| table.get("openai_base_url"))?;
        url.as_str().map(str::to_owned)
    };
    configured().unwrap_or_else(|| OPENAI.to_owned())
}

fn host_and_port(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let usual = match scheme.to_ascii_lowercase().as_str() {
        "https" => 443,
        "http" => 80,
        "socks5" | "socks5h" => 1080,
        _ => return None,
    };
    let (host, port) = match authority.strip_prefix('[') {
        // An address of IPv6 has colons of its own.
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = port.map_or(Some(usual), |port| port.parse().ok())?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::host_and_port;

    #[test]
    fn an_address_is_read_from_any_url() {
        for (url, expected) in [
            ("https://api.example.com/v1", Some(("api.example.com", 443))),
            ("http://127.0.0.1:8080", Some(("127.0.0.1", 8080))),
            ("http://user:secret@proxy:3128/", Some(("proxy", 3128))),
            ("https://[::1]:9/x", Some(("::1", 9))),
            ("https://[::1]", Some(("::1", 443))),
            ("ftp://x", None),
            ("https://", None),
            ("https://x:99999", None),
            ("example.com", None),
        ] {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(host_and_port(url), expected, "{url}");
        }
    }
}

//! An HTTP service of a test: a router on a free port of 127.0.0.1, gone with its handle.
//!
//! It runs on the test's own runtime, so the test has to await while a client talks to it.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A router that is being served. Dropping it closes the port.
pub(crate) struct LocalHttp {
    address: SocketAddr,
    /// The accept loop ends with this.
    _accepting: JoinSet<()>,
}

impl LocalHttp {
    pub(crate) async fn serve(router: Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut accepting = JoinSet::new();
        accepting.spawn(async {
            axum::serve(listener, router).await.expect("the accept loop never ends");
        });
        Self { address, _accepting: accepting }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

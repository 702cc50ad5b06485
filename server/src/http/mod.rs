//! The HTTP service: `/metrics` for Prometheus, and `/healthz` for process supervisors.
//!
//! A listener of kind `http` binds the loopback address unless the config sets another.

pub mod metrics;
mod openmetrics;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HOST},
        uri::Authority,
    },
    middleware::{Next, from_fn},
    response::IntoResponse,
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{net::TcpStream, time::timeout};

use metrics::Metrics;

/// The time limit of one request and its answer. Connections are not kept alive.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The largest head of a request, in bytes.
const HEAD: usize = 16 * 1024;

/// The HTTP service.
#[derive(Debug, Clone)]
pub struct Http(Router);

/// The answer to a request for another name.
const MISDIRECTED: &str = "the listener has no such name; its option `names` may list it\n";

impl Http {
    /// Serves these metrics.
    pub fn new(metrics: Metrics) -> Self {
        Self(
            Router::new()
                .route("/metrics", get(async move || answer(&metrics).await))
                .route("/healthz", get(async || "ok\n")),
        )
    }

    /// Serves only requests for these names, `localhost`, and IP addresses. A page of another site
    /// can let its own name lead to this server (DNS rebinding), but not those.
    #[must_use]
    pub(crate) fn with_names(self, names: &[String]) -> Self {
        let names: Arc<[String]> = names.into();
        Self(self.0.layer(from_fn(move |request: Request, next: Next| {
            let is_own = asked_host(&request).is_none_or(|host| is_own(&host, &names));
            async move {
                match is_own {
                    true => next.run(request).await,
                    false => (StatusCode::MISDIRECTED_REQUEST, MISDIRECTED).into_response(),
                }
            }
        })))
    }

    /// Answers one request of a connection and closes it.
    pub async fn serve(self, socket: TcpStream) {
        let service = TowerToHyperService::new(self.0);
        let mut http = http1::Builder::new();
        http.keep_alive(false).max_buf_size(HEAD);
        match timeout(TIMEOUT, http.serve_connection(TokioIo::new(socket), service)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "an HTTP request failed"),
            Err(_) => tracing::debug!("an HTTP request took too long"),
        }
    }
}

/// The host that a request is for. `None` for a request of HTTP/1.0 without `Host`, which no browser
/// sends.
fn asked_host(request: &Request) -> Option<String> {
    let target = request.uri().host().map(str::to_owned);
    target.or_else(|| {
        let asked = String::from_utf8_lossy(request.headers().get(HOST)?.as_bytes());
        // What is no host and port is no name of this server.
        Some(asked.parse::<Authority>().map_or_else(|_| asked.to_string(), |one| one.host().into()))
    })
}

fn is_own(host: &str, names: &[String]) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let mut names = names.iter().map(String::as_str).chain(["localhost"]);
    address.parse::<IpAddr>().is_ok() || names.any(|name| name.eq_ignore_ascii_case(host))
}

async fn answer(metrics: &Metrics) -> impl IntoResponse + use<> {
    match metrics.read().await {
        Some(text) => Ok(([(CONTENT_TYPE, openmetrics::CONTENT_TYPE)], text)),
        None => Err((StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_name_it_is() {
        let names = ["metrics.example.com".to_owned()];
        let host = |text: &str| {
            let request = Request::builder().header(HOST, text).body(Default::default());
            is_own(&asked_host(&request.unwrap()).unwrap(), &names)
        };
        for own in ["localhost", "LocalHost:5280", "127.0.0.1:5280", "[::1]:5280", "192.0.2.1"] {
            assert!(host(own), "{own}");
        }
        assert!(host("Metrics.example.com:80"));
        for foreign in
            ["evil.example", "localhost.evil.example:5280", "example.com", "a b", "", ":1"]
        {
            assert!(!host(foreign), "{foreign}");
        }
        let none = Request::builder().body(Default::default()).unwrap();
        assert_eq!(asked_host(&none), None);
        let absolute =
            Request::builder().uri("http://evil.example/metrics").header(HOST, "localhost");
        let absolute = absolute.body(Default::default()).unwrap();
        assert_eq!(asked_host(&absolute).as_deref(), Some("evil.example"));
    }
}

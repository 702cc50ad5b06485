//! The HTTP service: `/metrics` for Prometheus, and `/healthz` for process supervisors.
//!
//! A listener of kind `http` binds the loopback address unless the config sets another.

pub mod metrics;
mod openmetrics;

use std::time::Duration;

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
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

impl Http {
    /// Serves these metrics.
    pub fn new(metrics: Metrics) -> Self {
        Self(
            Router::new()
                .route("/metrics", get(async move || answer(&metrics).await))
                .route("/healthz", get(async || "ok\n")),
        )
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

async fn answer(metrics: &Metrics) -> impl IntoResponse + use<> {
    match metrics.read().await {
        Some(text) => Ok(([(CONTENT_TYPE, openmetrics::CONTENT_TYPE)], text)),
        None => Err((StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n")),
    }
}

//! Tests of the dispatch with the harness: one file for each topic, in one binary.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests and their helpers")]

mod context;
mod fires;
mod foreign;
mod iq;
mod lifecycle;
mod order;
mod outcome;
mod panics;
mod query;
mod reload;
mod warnings;

use std::cell::RefCell;

use event_core::{
    testing::{Client, Harness},
    xml::Element,
};

thread_local! {
    // The harness runs each test on one thread, so each test has its own log.
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Adds a line to the log of the test.
fn note(what: impl Into<String>) {
    LOG.with_borrow_mut(|log| log.push(what.into()));
}

/// Takes the lines of the log.
fn noted() -> Vec<String> {
    LOG.take()
}

async fn server(modules: &[&str]) -> Harness {
    let builder = event_core::testing::host("localhost");
    let builder = modules.iter().fold(builder, |builder, name| builder.module(name));
    let server = builder.start().await.unwrap();
    noted();
    server
}

async fn romeo(server: &Harness) -> Client {
    let romeo = server.session("romeo@localhost/orchard").await;
    noted();
    romeo
}

fn attribute(element: &Element, name: &str) -> String {
    element.attribute(name).unwrap_or_default().into_owned()
}

/// The condition of an error stanza, or the type of any other stanza.
fn kind(element: &Element) -> String {
    let kind = attribute(element, "type");
    if kind != "error" {
        return kind;
    }
    let error = element.children().find(|child| child.name() == "error").unwrap();
    error.first_child().unwrap().name().to_owned()
}

/// The conditions or types of the stanzas that a client received, and the stream error.
fn told(client: &Client) -> String {
    let mut told: Vec<_> = client.received().iter().map(kind).collect();
    if let Some(error) = client.closed() {
        told.push(format!("closed {}", error.unwrap().condition().as_str()));
    }
    told.join(" ")
}

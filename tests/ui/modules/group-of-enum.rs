//! A group of options is an enum.

#[derive(event_core::Options)]
pub enum Limits {
    Most,
}

fn main() {}

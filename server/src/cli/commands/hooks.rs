//! `spondee hooks`: which handlers run on which event, in order.

use std::{fmt::Write, sync::Arc};

use event_core::{Bundle, Registry, declared_events, events};

use super::{
    load::{load, runtime},
    unknown::{Unknown, known},
};
use crate::{
    cli::{CliError, HooksQuery, output::say},
    config::Config,
    control::{client, protocol::HookLine},
    run::{ServerError, hosts::hosts},
};

pub(super) fn print(
    config: &Config,
    bundles: &[Bundle],
    query: &HooksQuery,
) -> Result<(), HooksError> {
    let registry = Registry::new(bundles).map_err(ServerError::from)?;
    check_names(config, &registry, query)?;
    let lines = match client::hooks(&config.data, query) {
        Some(lines) => lines?,
        None => without_server(config, registry, query)?,
    };
    if lines.is_empty() {
        eprintln!("this config has no such handler");
    }
    let text = if query.json {
        let mut json = serde_json::to_string_pretty(&lines).map_err(HooksError::Json)?;
        json.push('\n');
        json
    } else {
        table(&lines)
    };
    say(&text);
    Ok(())
}

/// Why the table cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum HooksError {
    #[error(transparent)]
    Cli(#[from] CliError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("cannot write JSON: {0}")]
    Json(serde_json::Error),
    #[error(transparent)]
    Unknown(#[from] Unknown),
}

/// Refuses names that do not exist, because an empty table would look like a valid answer.
fn check_names(config: &Config, registry: &Registry, query: &HooksQuery) -> Result<(), Unknown> {
    let modules: Vec<&str> = registry.modules().map(|info| info.name).collect();
    known("the host", query.host.as_deref(), &config.domains().collect::<Vec<_>>())?;
    known("the module", query.module.as_deref(), &modules)?;
    let mut events: Vec<&str> = events::all().iter().map(|info| info.name).collect();
    events.extend(declared_events().iter().map(|info| info.name));
    // A name ends with a payload or an id where the catalogue has a placeholder.
    let has_event = |event: &str| {
        let heads = events
            .iter()
            .filter_map(|name| name.strip_suffix("XMLNS:TAG").or_else(|| name.strip_suffix("ID")));
        let mut rest = heads.filter_map(|head| event.strip_prefix(head));
        rest.any(|parameter| !parameter.is_empty())
    };
    known("the event", query.event.as_deref().filter(|event| !has_event(event)), &events)
}

/// The hooks of the config's modules, without counters.
fn without_server(
    config: &Config,
    registry: Registry,
    query: &HooksQuery,
) -> Result<Vec<HookLine>, ServerError> {
    let hosts = hosts(config, &registry, &mut Vec::new()).map_err(ServerError::Config)?;
    runtime()?.block_on(async {
        let modules = load(registry, hosts, Arc::default()).await?;
        let mut lines = HookLine::all(modules.core(), query);
        lines.iter_mut().for_each(|line| line.counts = None);
        Ok(lines)
    })
}

/// A table for each host.
fn table(lines: &[HookLine]) -> String {
    let mut text = String::new();
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|line| line.host == first.host).count();
        let (of_host, others) = rest.split_at(count);
        rest = others;
        let has_counts = first.counts.is_some();
        let mut rows = vec![vec!["EVENT", "PRIORITY", "ROLE", "MODULE", "FUNCTION", "AT", ""]]
            .into_iter()
            .map(|row| row.into_iter().map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>();
        if has_counts {
            rows.iter_mut().for_each(|row| row.push("CALLS".to_owned()));
        }
        for line in of_host {
            let kind = if line.r#async { "async" } else { "sync" };
            let mut row = vec![
                line.event.clone(),
                line.priority.to_string(),
                line.role.clone().unwrap_or_default(),
                line.module.clone(),
                line.function.clone(),
                format!("{}:{}", line.file, line.line),
                kind.to_owned(),
            ];
            row.extend(line.counts.map(|counts| counts.calls.to_string()));
            rows.push(row);
        }
        let _ = writeln!(text, "{}", first.host);
        let notes = of_host.iter().map(|line| line.warning.as_deref());
        for (row, note) in aligned(&rows).into_iter().zip([None].into_iter().chain(notes)) {
            let _ = writeln!(text, "  {row}");
            if let Some(note) = note {
                let _ = writeln!(text, "    warning: {note}");
            }
        }
        if !rest.is_empty() {
            text.push('\n');
        }
    }
    text
}

/// Aligns the columns.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::protocol::Counts;

    fn line(event: &str, counts: Option<Counts>) -> HookLine {
        HookLine {
            host: "a.example".into(),
            event: event.into(),
            priority: 10,
            role: Some("process".into()),
            module: "m".into(),
            function: "m::f".into(),
            file: "m.rs".into(),
            line: 3,
            column: 1,
            r#async: true,
            warning: None,
            counts,
        }
    }

    #[test]
    fn names_that_nothing_has_are_refused() {
        let registry = Registry::new(&[Bundle::new("spondee")]).unwrap();
        let refused = |host: Option<&str>, module: Option<&str>, event: Option<&str>| {
            let own = |name: Option<&str>| name.map(str::to_owned);
            let (host, module, event) = (own(host), own(module), own(event));
            let query = HooksQuery { host, module, event, json: false };
            let checked = check_names(&Config::default(), &registry, &query);
            checked.err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(refused(Some("localhost"), Some("probe"), Some("server-started")), "");
        let host = "the host localhots is not in the config; did you mean localhost?";
        assert_eq!(refused(Some("localhots"), None, None), host);
        let module = "the module prob is not in this binary; did you mean probe?";
        assert_eq!(refused(None, Some("prob"), None), module);
        for event in ["iq-get/host/jabber:iq:version:query", "iq-result/bare/x", "message/bare"] {
            assert_eq!(refused(None, None, Some(event)), "");
        }
        let event = "the event server-startd does not exist; did you mean server-started?";
        assert_eq!(refused(None, None, Some("server-startd")), event);
        assert!(refused(None, None, Some("iq-get/host/")).contains("does not exist"));
    }

    #[test]
    fn a_table_for_people() {
        let text = table(&[line("iq/bare", None), line("message/bare", None)]);
        let expected = "a.example\n  EVENT         PRIORITY  ROLE     MODULE  FUNCTION  AT\n  \
                        iq/bare       10        process  m       m::f      m.rs:3  async\n  \
                        message/bare  10        process  m       m::f      m.rs:3  async\n";
        assert_eq!(text, expected);
        let counts = Counts { calls: 7, handled: 0, errors: 0, panics: 0, mean_ns: None };
        assert!(table(&[line("iq/bare", Some(counts))]).ends_with("async  7\n"));
        let warned = HookLine { warning: Some("never runs".into()), ..line("iq/bare", None) };
        assert!(table(&[warned]).ends_with("async\n    warning: never runs\n"));
    }
}

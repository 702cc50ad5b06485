//! Handlers that never run with this config, and filters that miss messages to full JIDs.

use event_core::{Core, HookWarning};

use super::findings::{Findings, Level, Subject};

pub(super) fn look(core: &Core, findings: &mut Findings) {
    for host in core.hosts() {
        for line in core.hooks(&host) {
            let Some(warning) = line.warning else { continue };
            let (name, module, hook) = (host.name(), line.module, line.hook);
            let message =
                format!("{name}: {} of module {module} on {} {warning}", hook.id(), hook.event);
            match &warning {
                HookWarning::NotFired(_, by) if !by.is_empty() => {
                    let help =
                        format!("enable {} on {name}, or leave {module} out", by.join(" or "));
                    findings.add_with_help(Level::Warning, Subject::Config, message, help);
                }
                _ => findings.add(Level::Warning, Subject::Config, message),
            }
        }
    }
}

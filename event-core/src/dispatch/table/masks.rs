//! Which handlers never run because a handler before them always answers.

use std::collections::{HashMap, HashSet};

use event_catalogue::Family;

use crate::dispatch::{
    hook::{HookMeta, HookParameter},
    installer::HandlerId,
    table::{
        hook::Hook,
        iq::{STEPS, of_payload},
    },
};

/// The handlers that never run, each with the handler that always answers before it. `hooks` are
/// those of a table, sorted.
pub(crate) fn masks(hooks: &[Hook]) -> HashMap<HandlerId, &'static HookMeta> {
    let (mut reached, mut masked) = (HashSet::new(), HashMap::new());
    for order in orders(hooks) {
        let mut answer = None;
        for hook in order {
            match answer {
                None => drop(reached.insert(hook.installed.id())),
                Some(by) => drop(masked.entry(hook.installed.id()).or_insert(by)),
            }
            if answer.is_none() && hook.meta().answers {
                answer = Some(hook.meta());
            }
        }
    }
    masked.retain(|handler, _| !reached.contains(handler));
    masked
}

/// The handlers that may answer, in each order in which they run: those of one payload, destination
/// and type of iq, and those of one payload on a stream without a resource.
fn orders(hooks: &[Hook]) -> Vec<Vec<&Hook>> {
    let mut by_payload = HashMap::<_, Vec<&Hook>>::new();
    for hook in hooks {
        let (family, parameter) = (hook.meta().family, hook.meta().parameter);
        if let HookParameter::Payload { namespace, element } = parameter
            && matches!(family, Family::IqPayload | Family::StreamIq)
        {
            let is_routed = family == Family::IqPayload;
            by_payload.entry((is_routed, namespace, element)).or_default().push(hook);
        }
    }
    let mut orders = Vec::new();
    for ((is_routed, ..), own) in by_payload {
        if is_routed {
            let order = |steps, typed| of_payload(steps, &own, typed).collect::<Vec<_>>();
            orders.extend(STEPS.iter().map(|steps| order(steps, steps.get)));
            orders.extend(STEPS.iter().map(|steps| order(steps, steps.set)));
        } else {
            orders.push(own);
        }
    }
    orders
}

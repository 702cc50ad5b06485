//! The order of modules: `after`, then the configuration.

use crate::module::{
    context::AnyContext,
    registry::{LinkedModule, Registry},
    start_error::StartError,
};

/// A module that runs on a host, as the table builder needs it.
pub(crate) struct Enabled<'a> {
    pub(crate) module: &'a LinkedModule,
    pub(crate) context: AnyContext,
}

/// Each module's place among equals: what `after` says, else the order of the configuration.
pub(crate) fn ranks(
    registry: &Registry,
    enabled: &[Enabled<'_>],
) -> Result<Vec<usize>, StartError> {
    let infos: Vec<_> = enabled.iter().map(|enabled| enabled.module.info).collect();
    let place = |name: &str| infos.iter().position(|info| info.name == name);
    let mut waits = Vec::with_capacity(infos.len());
    for info in &infos {
        let mut before = Vec::new();
        for after in info.after {
            match place(after) {
                Some(index) => before.push(index),
                // Linked but not enabled here: nothing to wait for. Misspelt: say so.
                None if registry.module(after).is_some() => {}
                None => {
                    let nearest = event_catalogue::nearest(after, registry.names());
                    if !nearest.is_empty() {
                        return Err(StartError::UnknownAfter { module: info.name, after, nearest });
                    }
                }
            }
        }
        waits.push(before);
    }
    let mut ranks: Vec<Option<usize>> = vec![None; infos.len()];
    for rank in 0..infos.len() {
        let ready = (0..infos.len()).find(|&index| {
            let is_ranked = |&other: &usize| ranks.get(other).is_some_and(Option::is_some);
            ranks.get(index) == Some(&None)
                && waits.get(index).is_some_and(|waits| waits.iter().all(is_ranked))
        });
        match ready.and_then(|index| ranks.get_mut(index)) {
            Some(place) => *place = Some(rank),
            None => return Err(StartError::AfterCycle { cycle: cycle(&infos, &waits, &ranks) }),
        }
    }
    Ok(ranks.into_iter().flatten().collect())
}

/// Follows unranked modules until one comes round again.
pub(crate) fn cycle(
    infos: &[&'static crate::module::info::ModuleInfo],
    waits: &[Vec<usize>],
    ranks: &[Option<usize>],
) -> Vec<&'static str> {
    let unranked = |index: &usize| ranks.get(*index) == Some(&None);
    let mut path: Vec<usize> = Vec::new();
    let mut next = (0..infos.len()).find(unranked);
    while let Some(index) = next {
        if let Some(start) = path.iter().position(|&seen| seen == index) {
            path.push(index);
            path.drain(..start);
            break;
        }
        path.push(index);
        next = waits.get(index).and_then(|waits| waits.iter().copied().find(|i| unranked(i)));
    }
    path.iter().filter_map(|&index| infos.get(index)).map(|info| info.name).collect()
}

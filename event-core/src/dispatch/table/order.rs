//! The order of modules at equal priority: `after`, then the configuration.

use crate::{
    dispatch::installer::{AnyContext, LinkedHook},
    module::{info::ModuleInfo, start_error::StartError},
};

/// A module that runs on a host, for the table builder.
pub(crate) struct Enabled<'a> {
    pub(crate) info: &'static ModuleInfo,
    pub(crate) hooks: &'a [&'static LinkedHook],
    pub(crate) context: AnyContext,
}

/// The rank of each module at equal priority: by `after`, else by the order of the configuration.
/// `linked` are the names of all modules of the binary, `infos` the modules of a host.
pub(crate) fn ranks(
    linked: &[&'static str],
    infos: &[&'static ModuleInfo],
) -> Result<Vec<usize>, StartError> {
    let place = |name: &str| infos.iter().position(|info| info.name == name);
    let mut waits = Vec::with_capacity(infos.len());
    for info in infos {
        let mut before = Vec::new();
        for after in info.after {
            match place(after) {
                Some(index) => before.push(index),
                // A linked module that is not enabled here needs no order. An unknown name is an
                // error if it resembles the name of a linked module.
                None if linked.contains(after) => {}
                None => {
                    let nearest = event_catalogue::nearest(after, linked.iter().copied());
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
            None => return Err(StartError::AfterCycle { cycle: cycle(infos, &waits, &ranks) }),
        }
    }
    Ok(ranks.into_iter().flatten().collect())
}

/// Follows `after` between modules without a rank until a module occurs twice: the circle.
pub(crate) fn cycle(
    infos: &[&'static ModuleInfo],
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

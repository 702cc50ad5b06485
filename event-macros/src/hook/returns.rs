//! Advice about return types that authors write by mistake, as far as their tokens show it. All
//! other types are left to the compiler, because they may be aliases.

use syn::Type;

use super::{
    rules::{Rule, arguments, is_generic, is_path},
    signature::{Handler, bare},
};
use crate::attr::Mistakes;

/// Checks the return type. `rule` is that of an event of the catalogue.
pub(super) fn check(handler: &Handler, rule: Option<&Rule>, mistakes: &mut Mistakes) {
    let Some(written) = &handler.returns else { return };
    let message = match (bare(written), rule) {
        (Type::Never(_), _) => Some("a handler returns, so that the next handler runs".to_owned()),
        (future, _) if is_boxed_future(future) => {
            Some("an async handler is an `async fn`, which returns the result itself".to_owned())
        }
        (written, Some(rule)) => of_rule(written, rule),
        (_, None) => None,
    };
    if let Some(message) = message {
        mistakes.at(written, message);
    }
}

fn of_rule(written: &Type, rule: &Rule) -> Option<String> {
    let event = &rule.event;
    Some(match written {
        option if is_generic(option, "Option", 1) && rule.decides() => {
            let inside = arguments(option).first().map(|inside| bare(inside));
            if !inside.is_some_and(|inside| is_path(inside, "Flow") || is_path(inside, "Reply")) {
                return None;
            }
            format!(
                "a handler of `{event}` returns `{}`, not an `Option`\n  help: `Flow::Continue` lets the next handler run",
                rule.usual()
            )
        }
        error if is_path(error, "StanzaError") && rule.refuses() => {
            format!(
                "an error is the `Err` of a `Result`\n  help: `-> Result<{}, StanzaError>`",
                rule.usual()
            )
        }
        reply if is_path(reply, "Reply") && rule.decides() && !rule.answers() => {
            format!(
                "the result of `{event}` is not an answer\n  help: send it, `cx.send(reply)`, and return `Flow::Handled`"
            )
        }
        _ => return None,
    })
}

/// `Pin<Box<dyn Future<…>>>`, `Box<dyn Future<…>>` or `BoxFuture<…>`.
fn is_boxed_future(written: &Type) -> bool {
    match written {
        Type::TraitObject(object) => object.bounds.iter().any(|bound| {
            matches!(bound, syn::TypeParamBound::Trait(bound)
                if bound.path.segments.last().is_some_and(|last| last.ident == "Future"))
        }),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            last.ident == "BoxFuture"
                || (last.ident == "Pin" || last.ident == "Box")
                    && arguments(written)
                        .first()
                        .is_some_and(|inside| is_boxed_future(bare(inside)))
        }),
        _ => false,
    }
}

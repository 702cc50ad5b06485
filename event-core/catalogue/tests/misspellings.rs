//! Every one-edit misspelling of every name and every namespace is refused with the correct name
//! among the suggestions. The oracle shares only the tables with the catalogue.

#![expect(clippy::indexing_slicing, reason = "a test may panic")]

use event_catalogue::{EVENTS, EventDef, Namespace, Parameter, is_known, namespaces, resolve};
use proptest::{prelude::*, sample::select};

/// Printable ASCII.
fn alphabet() -> impl Iterator<Item = char> + Clone {
    ' '..='~'
}

/// Optimal string alignment by the textbook algorithm.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let mut cell = (table[i - 1][j] + 1)
                    .min(table[i][j - 1] + 1)
                    .min(table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]));
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    cell = cell.min(table[i - 2][j - 2] + 1);
                }
                cell
            };
        }
    }
    table[a.len()][b.len()]
}

/// All strings that one edit in `fixed` makes of `fixed + open`.
fn one_edit_away(
    fixed: &str,
    open: &str,
    letters: impl Iterator<Item = char> + Clone,
) -> Vec<String> {
    let mut all = Vec::new();
    for at in 0..=fixed.len() {
        let (start, end) = fixed.split_at(at);
        // A character added after the end of `fixed` would belong to the open part.
        if at < fixed.len() || open.is_empty() {
            all.extend(letters.clone().map(|c| format!("{start}{c}{end}{open}")));
        }
        if at < fixed.len() {
            let rest = &end[1..];
            all.push(format!("{start}{rest}{open}"));
            all.extend(letters.clone().map(|c| format!("{start}{c}{rest}{open}")));
            let whole = format!("{rest}{open}");
            if let Some(next) = whole.chars().next() {
                all.push(format!("{start}{next}{}{}", &end[..1], &whole[1..]));
            }
        }
    }
    let original = format!("{fixed}{open}");
    all.retain(|name| *name != original);
    all
}

fn head(event: &EventDef) -> &'static str {
    match event.parameter {
        Parameter::None => event.name,
        Parameter::Payload => event.name.trim_end_matches("XMLNS:TAG"),
        Parameter::Id => event.name.trim_end_matches("ID"),
    }
}

fn is_tag(tag: &str) -> bool {
    tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// Whether a name is valid: without an open part, with an id, or with a known namespace.
fn is_valid(name: &str) -> bool {
    EVENTS.iter().any(|event| match event.parameter {
        Parameter::None => name == event.name,
        Parameter::Id => name.strip_prefix(head(event)).is_some_and(|id| !id.is_empty()),
        Parameter::Payload => name
            .strip_prefix(head(event))
            .and_then(|payload| payload.rsplit_once(':'))
            .is_some_and(|(xmlns, tag)| is_known(xmlns) && is_tag(tag)),
    })
}

/// Checks that `wrong` is refused and `right` is suggested. `right` must be the first suggestion
/// unless one of `others` is equally near.
fn check(wrong: &str, right: &str, declared: Namespace, others: &[String]) -> Result<(), String> {
    let Err(error) = resolve(wrong, declared) else {
        return Err(format!("`{wrong}` for `{right}` is accepted"));
    };
    let suggestions = error.suggestions();
    let message = error.to_string();
    let fail =
        |what: &str| Err(format!("`{wrong}` for `{right}`: {what}: {suggestions:?}\n{message}"));
    if suggestions.len() > 3 {
        return fail("too many suggestions");
    }
    if suggestions.iter().any(|name| !message.contains(&format!("`{name}`"))) {
        return fail("a suggestion is not in the message");
    }
    if suggestions.iter().any(|name| resolve(name, declared).is_err()) {
        return fail("a suggestion would be refused");
    }
    let equally_near: Vec<_> = others
        .iter()
        .filter(|other| *other != right && near(wrong, other) && distance(wrong, other) <= 1)
        .collect();
    match suggestions.iter().position(|name| name == right) {
        None if equally_near.len() >= 3
            && suggestions.iter().all(|name| equally_near.contains(&name)) =>
        {
            Ok(())
        }
        None => fail("the correct name is missing"),
        Some(0) => Ok(()),
        Some(_) if equally_near.is_empty() => fail("the correct name is not first"),
        Some(_) => Ok(()),
    }
}

/// The other names that may be meant after an edit at the end of the fixed part: a letter there may
/// belong to the open part.
fn other_readings(fixed: &str, open: &str, wrong: &str) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(rest) = open.get(1..) {
        all.push(format!("{fixed}{rest}"));
        for c in wrong.chars().skip(fixed.len() - 2).take(3) {
            all.extend([format!("{fixed}{c}{open}"), format!("{fixed}{c}/{rest}")]);
        }
    }
    all
}

/// All names, with `payload` or `id` as the open part.
fn names_with(payload: &str, id: &str) -> Vec<String> {
    let name = |event: &EventDef| match event.parameter {
        Parameter::None => event.name.to_owned(),
        Parameter::Payload => format!("{}{payload}", head(event)),
        Parameter::Id => format!("{}{id}", head(event)),
    };
    EVENTS.iter().map(name).collect()
}

fn report(failures: &[String], checked: usize) {
    let shown = &failures[..failures.len().min(20)];
    assert!(failures.is_empty(), "{} of {checked} fail:\n{}", failures.len(), shown.join("\n"));
}

/// Characters with a meaning in names, and a few others.
const LETTERS: &str = " /:#-.0AQqiu~";

/// Checks all misspellings of the fixed parts of all names.
fn check_names(payload: &str, declared: Namespace, letters: impl Iterator<Item = char> + Clone) {
    let (mut failures, mut checked) = (Vec::new(), 0);
    let names = names_with(payload, "abc1");
    for (event, right) in EVENTS.iter().zip(&names) {
        if event.parameter == Parameter::None && payload != "jabber:iq:version:query" {
            continue;
        }
        let fixed = head(event);
        for wrong in one_edit_away(fixed, &right[fixed.len()..], letters.clone()) {
            if is_valid(&wrong) || names.contains(&wrong) {
                assert!(resolve(&wrong, declared).is_ok(), "{wrong}");
                continue;
            }
            checked += 1;
            let mut others = names.clone();
            others.extend(other_readings(fixed, &right[fixed.len()..], &wrong));
            failures.extend(check(&wrong, right, declared, &others).err());
        }
    }
    report(&failures, checked);
}

#[test]
fn misspelt_fixed_parts_before_a_known_namespace_are_corrected() {
    check_names("jabber:iq:version:query", Namespace::Known, LETTERS.chars());
}

#[test]
fn misspelt_fixed_parts_before_an_unknown_namespace_are_corrected() {
    check_names("urn:example:mine:0:item", Namespace::Known, LETTERS.chars());
}

#[test]
fn misspelt_fixed_parts_before_a_declared_namespace_are_corrected() {
    check_names("https://example.org/ns#own:item", Namespace::Own, LETTERS.chars());
}

#[test]
#[ignore = "takes a minute: run it in release when the table or the rules change"]
fn fixed_parts_misspelt_with_every_letter_are_corrected() {
    for payload in ["urn:example:mine:0:item", "jabber:iq:roster:query", "vcard-temp:vCard"] {
        check_names(payload, Namespace::Known, alphabet());
    }
    for payload in ["https://example.org/ns#own:item", "jabber:iq:roster:query"] {
        check_names(payload, Namespace::Own, alphabet());
    }
}

/// Checks all misspellings of one namespace and of the colon after it, in one event.
fn check_namespace(
    event: &EventDef,
    known: &str,
    tag: &str,
    letters: &str,
) -> Result<usize, String> {
    let head = head(event);
    let right = format!("{head}{known}:{tag}");
    let others: Vec<_> = namespaces()
        .filter(|other| near(other, known))
        .map(|other| format!("{head}{other}:{tag}"))
        .collect();
    let shorter: Vec<_> = namespaces().filter(|shorter| known.starts_with(shorter)).collect();
    let mut checked = 0;
    for wrong in one_edit_away(&format!("{known}:"), tag, letters.chars()) {
        let wrong = format!("{head}{wrong}");
        if is_valid(&wrong) {
            assert!(resolve(&wrong, Namespace::Known).is_ok(), "{wrong}");
            continue;
        }
        checked += 1;
        let mut others = others.clone();
        others.extend(other_readings(&format!("{head}{known}:"), tag, &wrong));
        for shorter in &shorter {
            // `amp:errors_1` may be meant by `amp#errors_1`.
            if let Some((_, tag)) = wrong.split_at_checked(head.len() + shorter.len() + 1) {
                others.push(format!("{head}{shorter}:{tag}"));
            }
        }
        check(&wrong, &right, Namespace::Known, &others)?;
    }
    Ok(checked)
}

/// Whether two words may be one edit apart: all but a few letters are a common prefix or suffix.
fn near(a: &str, b: &str) -> bool {
    let start = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let end = a.bytes().rev().zip(b.bytes().rev()).take_while(|(x, y)| x == y).count();
    start + end + 6 >= a.len().max(b.len())
}

fn payload_events() -> Vec<&'static EventDef> {
    EVENTS.iter().filter(|event| event.parameter == Parameter::Payload).collect()
}

#[test]
fn namespaces_with_a_lost_or_swapped_letter_are_corrected() {
    let (mut failures, mut checked) = (Vec::new(), 0);
    let events = payload_events();
    // In a debug build, all namespaces would take a minute.
    let step = if cfg!(debug_assertions) { 10 } else { 1 };
    for (index, known) in namespaces().enumerate().step_by(step) {
        let event = events[index % events.len()];
        let tag = ["query", "x", "_1"][index % 3];
        match check_namespace(event, known, tag, "") {
            Ok(count) => checked += count,
            Err(failure) => failures.push(failure),
        }
    }
    report(&failures, checked);
}

#[test]
#[ignore = "takes minutes: run it in release when the list or the rules change"]
fn namespaces_misspelt_with_every_letter_are_corrected() {
    let (mut failures, mut checked) = (Vec::new(), 0);
    let letters: String = alphabet().collect();
    let events = payload_events();
    for (index, known) in namespaces().enumerate() {
        match check_namespace(events[index % events.len()], known, "query", &letters) {
            Ok(count) => checked += count,
            Err(failure) => failures.push(failure),
        }
    }
    report(&failures, checked);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn namespaces_misspelt_with_any_letter_are_corrected(
        event in select(payload_events()),
        known in select(namespaces().collect::<Vec<_>>()),
        tag in "[a-zA-Z_][a-zA-Z0-9._-]{0,8}",
        letter in "[ -~]",
    ) {
        prop_assert!(check_namespace(event, known, &tag, &letter).map_err(TestCaseError::fail)? > 0);
    }

    #[test]
    fn known_and_declared_namespaces_are_accepted(
        event in select(payload_events()),
        known in select(namespaces().collect::<Vec<_>>()),
        own in "[a-z]{2,5}:[a-z/.#0-9-]{1,20}",
        tag in "[a-zA-Z_][a-zA-Z0-9._-]{0,8}",
    ) {
        let name = format!("{}{known}:{tag}", head(event));
        prop_assert!(resolve(&name, Namespace::Known).is_ok(), "{name}");
        let name = format!("{}{own}:{tag}", head(event));
        if let Err(error) = resolve(&name, Namespace::Own) {
            prop_assert!(own.starts_with("iq") && event.name.starts_with("stanza/"), "{error}");
        }
    }

    #[test]
    fn any_text_is_resolved_or_refused_with_at_most_three_suggestions(name in "\\PC{0,40}", head in select(EVENTS), own in any::<bool>()) {
        let declared = if own { Namespace::Own } else { Namespace::Known };
        for name in [name.clone(), format!("{}{name}", head.head())] {
            if let Err(error) = resolve(&name, declared) {
                prop_assert!(error.suggestions().len() <= 3);
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}

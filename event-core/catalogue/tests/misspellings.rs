//! Every one-edit misspelling of every name, namespace and element is refused with the correct name
//! among the suggestions. The oracle shares only the tables with the catalogue.

#![expect(clippy::indexing_slicing, reason = "a test may panic")]

use event_catalogue::{
    EVENTS, EventDef, Fit, NameError, Parameter, elements, is_known, namespaces, resolve,
    undeclared,
};
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

/// Why a crate without declarations refuses the name.
fn refusal(name: &str) -> Option<NameError> {
    match resolve(name) {
        Ok(read) => undeclared(name, &read),
        Err(error) => Some(error),
    }
}

/// The elements of `namespace` for which `event` fires.
fn firing(event: &EventDef, namespace: &str) -> Vec<&'static str> {
    let fires = elements(namespace).filter(|element| element.fit(event) == Fit::Fires);
    fires.map(|element| element.name).collect()
}

/// Whether `event` fires for an element, as far as the lists know.
fn fires(event: &EventDef, namespace: &str, tag: &str) -> bool {
    is_known(namespace)
        && is_tag(tag)
        && (elements(namespace).next().is_none() || firing(event, namespace).contains(&tag))
}

/// Whether a name is certainly valid: closed, with an id, or with a known element.
fn is_valid(name: &str) -> bool {
    EVENTS.iter().any(|event| match event.parameter {
        Parameter::None => name == event.name,
        Parameter::Id => name.strip_prefix(head(event)).is_some_and(|id| !id.is_empty()),
        Parameter::Payload => name
            .strip_prefix(head(event))
            .and_then(|payload| payload.rsplit_once(':'))
            .is_some_and(|(xmlns, tag)| fires(event, xmlns, tag)),
    })
}

/// Checks that `wrong` is refused and `right` suggested, first unless one of `others` is as near.
fn check(wrong: &str, right: &str, others: &[String]) -> Result<(), String> {
    let Some(error) = refusal(wrong) else {
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
    if suggestions.iter().any(|name| resolve(name).is_err()) {
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

/// The element of the open names.
#[derive(Clone, Copy)]
enum Payload {
    /// One that is known where the event looks for it.
    Known,
    Unknown(&'static str),
}

/// Every name, the open ones with this open part.
fn names_with(payload: Payload, id: &str) -> Vec<String> {
    let payload = |event: &EventDef| match payload {
        Payload::Unknown(payload) => payload,
        Payload::Known if event.name == "stanza/XMLNS:TAG" => {
            "urn:ietf:params:xml:ns:xmpp-sasl:auth"
        }
        Payload::Known => "jabber:iq:private:query",
    };
    let name = |event: &EventDef| match event.parameter {
        Parameter::None => event.name.to_owned(),
        Parameter::Payload => format!("{}{}", head(event), payload(event)),
        Parameter::Id => format!("{}{id}", head(event)),
    };
    EVENTS.iter().map(name).collect()
}

fn report(failures: &[String], checked: usize) {
    let shown = &failures[..failures.len().min(20)];
    assert!(failures.is_empty(), "{} of {checked} fail:\n{}", failures.len(), shown.join("\n"));
}

/// Characters with a meaning in names, and a few others.
const LETTERS: &str = " /:#-.0AQqiu~$";

/// Checks all misspellings of the fixed parts of all names.
fn check_names(payload: Payload, letters: impl Iterator<Item = char> + Clone) {
    let (mut failures, mut checked) = (Vec::new(), 0);
    let names = names_with(payload, "abc1");
    for (event, right) in EVENTS.iter().zip(&names) {
        if event.parameter == Parameter::None && matches!(payload, Payload::Unknown(_)) {
            continue;
        }
        let fixed = head(event);
        let wrongs = one_edit_away(fixed, &right[fixed.len()..], letters.clone());
        for wrong in some(wrongs.into_iter(), 11) {
            if is_valid(&wrong) || names.contains(&wrong) {
                assert!(resolve(&wrong).is_ok(), "{wrong}");
                continue;
            }
            checked += 1;
            let mut others = names.clone();
            others.extend(other_readings(fixed, &right[fixed.len()..], &wrong));
            failures.extend(check(&wrong, right, &others).err());
        }
    }
    report(&failures, checked);
}

#[test]
fn misspelt_fixed_parts_before_a_known_element_are_corrected() {
    check_names(Payload::Known, LETTERS.chars());
}

#[test]
fn misspelt_fixed_parts_before_an_unknown_namespace_are_corrected() {
    check_names(Payload::Unknown("urn:example:mine:0:item"), LETTERS.chars());
    check_names(Payload::Unknown("https://example.org/ns#own:item"), LETTERS.chars());
}

#[test]
#[ignore = "takes a minute: run it in release when the table or the rules change"]
fn fixed_parts_misspelt_with_every_letter_are_corrected() {
    check_names(Payload::Known, alphabet());
    check_names(Payload::Unknown("urn:example:mine:0:item"), alphabet());
    check_names(Payload::Unknown("https://example.org/ns#own:item"), alphabet());
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
            assert!(refusal(&wrong).is_none(), "{wrong}");
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
        check(&wrong, &right, &others)?;
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

/// Every known namespace, with each event that fires for an element of it, and the elements.
fn firing_events() -> impl Iterator<Item = (&'static EventDef, &'static str, Vec<&'static str>)> {
    namespaces().flat_map(|namespace| {
        payload_events().into_iter().filter_map(move |event| {
            let tags = match elements(namespace).next() {
                None => vec!["query", "x", "_1"],
                Some(_) => firing(event, namespace),
            };
            (!tags.is_empty()).then_some((event, namespace, tags))
        })
    })
}

/// A part of `all` in a debug build, where all of them would take minutes. The steps are primes, so
/// that every event has its turn.
fn some<T>(all: impl Iterator<Item = T>, debug_step: usize) -> impl Iterator<Item = T> {
    all.step_by(if cfg!(debug_assertions) { debug_step } else { 1 })
}

#[test]
fn namespaces_with_a_lost_or_swapped_letter_are_corrected() {
    let (mut failures, mut checked) = (Vec::new(), 0);
    for (event, known, tags) in some(firing_events(), 127) {
        match check_namespace(event, known, tags[checked % tags.len()], "") {
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
    for (event, known, tags) in firing_events().step_by(7) {
        match check_namespace(event, known, tags[checked % tags.len()], &letters) {
            Ok(count) => checked += count,
            Err(failure) => failures.push(failure),
        }
    }
    report(&failures, checked);
}

/// Checks all misspellings of one element in one event.
fn check_element(
    event: &EventDef,
    namespace: &str,
    tag: &str,
    letters: impl Iterator<Item = char> + Clone,
) -> Result<usize, String> {
    let start = format!("{}{namespace}:", head(event));
    let right = format!("{start}{tag}");
    let mut checked = 0;
    for wrong in one_edit_away(tag, "", letters) {
        let wrong = format!("{start}{wrong}");
        if is_valid(&wrong) {
            continue;
        }
        checked += 1;
        let Some(error) = refusal(&wrong) else {
            return Err(format!("`{wrong}` for `{right}` is accepted"));
        };
        let suggestions = error.suggestions();
        let as_near = suggestions.iter().filter(|other| distance(&wrong, other) <= 1).count();
        if suggestions.len() > 3 || !suggestions.contains(&right) && as_near < 3 {
            return Err(format!("`{wrong}` for `{right}`: {error}"));
        }
    }
    Ok(checked)
}

/// Checks all misspellings of all elements, each in one of its events.
fn check_elements(debug_step: usize, letters: impl Iterator<Item = char> + Clone) {
    let (mut failures, mut checked) = (Vec::new(), 0);
    let all = namespaces().flat_map(|namespace| {
        elements(namespace).enumerate().filter_map(move |(index, element)| {
            let fits = |event: &&EventDef| element.fit(event) == Fit::Fires;
            let events: Vec<_> = payload_events().into_iter().filter(fits).collect();
            let event = events.get(index % events.len().max(1))?;
            Some((*event, namespace, element.name))
        })
    });
    for (event, namespace, tag) in some(all, debug_step) {
        match check_element(event, namespace, tag, letters.clone()) {
            Ok(count) => checked += count,
            Err(failure) => failures.push(failure),
        }
    }
    assert!(checked > 1000, "{checked}");
    report(&failures, checked);
}

#[test]
fn misspelt_elements_are_corrected() {
    check_elements(31, LETTERS.chars());
}

#[test]
#[ignore = "takes minutes: run it in release when the list or the rules change"]
fn elements_misspelt_with_every_letter_are_corrected() {
    check_elements(1, alphabet());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn namespaces_misspelt_with_any_letter_are_corrected(
        (event, known, tags) in select(firing_events().collect::<Vec<_>>()),
        tag in any::<prop::sample::Index>(),
        letter in "[ -~]",
    ) {
        let checked = check_namespace(event, known, tag.get::<&str>(&tags), &letter);
        prop_assert!(checked.map_err(TestCaseError::fail)? > 0);
    }

    #[test]
    fn every_element_is_accepted_where_it_stands_and_nowhere_else(
        event in select(payload_events()),
        known in select(namespaces().collect::<Vec<_>>()),
        tag in "[a-zA-Z_][a-zA-Z0-9._-]{0,8}",
    ) {
        for tag in elements(known).map(|element| element.name).chain([&*tag]) {
            let name = format!("{}{known}:{tag}", head(event));
            prop_assert_eq!(refusal(&name).is_none(), fires(event, known, tag), "{}", name);
        }
    }

    #[test]
    fn an_unknown_namespace_is_refused_or_has_to_be_declared(
        event in select(payload_events()),
        own in "[a-z]{2,5}:[a-z/.#0-9-]{1,20}",
        tag in "[a-zA-Z_][a-zA-Z0-9._-]{0,8}",
    ) {
        let name = format!("{}{own}:{tag}", head(event));
        prop_assert!(is_known(&own) || refusal(&name).is_some(), "{}", name);
    }

    #[test]
    fn any_text_is_resolved_or_refused_with_at_most_three_suggestions(name in "\\PC{0,40}", head in select(EVENTS)) {
        for name in [name.clone(), format!("{}{name}", head.head())] {
            if let Some(error) = refusal(&name) {
                prop_assert!(error.suggestions().len() <= 3);
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}

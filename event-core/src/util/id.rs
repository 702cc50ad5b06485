//! Random ids.

/// A random id of 96 bits as 24 hexadecimal digits, from the operating system's generator.
#[expect(clippy::expect_used, reason = "without random numbers no id is safe to use")]
pub fn random_id() -> String {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).expect("the kernel gives no random numbers");
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let mut id = String::with_capacity(2 * bytes.len());
    id.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
    id
}

//! Module structs in every form.

mod unit {
    /// Does.
    #[event_core::module]
    pub struct Unit;
}

mod braces {
    /// Does.
    #[event_core::module()]
    pub struct InBandRegistration {}
}

mod options {
    /// Does.
    #[event_core::module(name = "limits2", after = ["carbons", "mam_2"],)]
    #[derive(Clone, Debug)]
    pub struct Limits {
        /// How much.
        #[serde(default, rename = "rate")]
        pub per_second: Option<u32>,
        /// For whom.
        pub hosts: Vec<String>,
    }
}

fn main() {
    use event_core::Module;
    assert_eq!(unit::Unit::INFO.name, "unit");
    assert_eq!(braces::InBandRegistration::INFO.name, "in_band_registration");
    assert_eq!(options::Limits::INFO.after, ["carbons", "mam_2"]);
    assert!(unit::Unit::options("surplus = 1".parse().unwrap()).is_err());
    let limits = options::Limits::options("rate = 5\nhosts = []".parse().unwrap()).unwrap();
    assert_eq!(limits.per_second, Some(5));
}

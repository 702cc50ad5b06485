//! Names that are keywords.

mod r#type {
    use event_core::prelude::*;

    /// Is.
    #[module]
    #[allow(non_camel_case_types)]
    pub struct r#struct;

    #[hook("message/bare")]
    fn r#match(_: &Message, _: &Context<r#struct>) {}
}

fn main() {
    use event_core::Module;
    assert_eq!(r#type::r#struct::INFO.name, "struct");
}

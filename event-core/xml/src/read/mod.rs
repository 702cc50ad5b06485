//! The strict reader: one pass that checks an element, brings it to normal form and indexes it.

pub(crate) mod chars;
pub(crate) mod namespaces;
pub(crate) mod normal_form;
pub(crate) mod stamp;
pub(crate) mod start_tag;
pub(crate) mod strict;

//! The strict reader: checks, normalises and indexes an element in one pass.

pub(crate) mod chars;
pub(crate) mod names;
pub(crate) mod namespaces;
pub(crate) mod normal_form;
pub(crate) mod stamp;
pub(crate) mod start_tag;
pub(crate) mod strict;

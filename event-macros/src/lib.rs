//! The #[hook], #[event] and #[module] attributes.

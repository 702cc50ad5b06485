//! Macros that declare the types of the catalogue's events.

/// Declares events whose payload is another type:
/// `Marker(Payload) = "name", "example handler";`.
macro_rules! events {
    (const $infos:ident; $(
        $(#[doc = $doc:literal])*
        $marker:ident($payload:ident) = $name:literal, $example:literal;
    )*) => {
        $(
            $(#[doc = $doc])*
            ///
            /// ```
            /// use event_core::prelude::*;
            /// # /// An example.
            /// # #[module]
            /// # struct Example {}
            #[doc = $example]
            /// ```
            #[derive(Debug)]
            pub enum $marker {}

            events!(@event $marker($payload) = $name, ($($doc)*), []);
        )*

        /// The events of this file.
        pub(crate) const $infos: &[&crate::events::info::EventInfo] =
            &[$(<$marker as crate::events::traits::Event>::INFO),*];
    };
    (@event $marker:ident($payload:ident) = $name:literal, ($($doc:literal)*), [
        $($field:ident: $type:ty, ($($field_doc:literal)*);)*
    ]) => {
        impl crate::events::traits::Event for $marker {
            type Payload = $payload;

            const INFO: &'static crate::events::info::EventInfo = &crate::events::info::info(
                $name,
                (stringify!($marker), stringify!($payload)),
                (
                    concat!($($doc, "\n"),*),
                    &[$(crate::events::info::FieldInfo {
                        name: stringify!($field),
                        type_: stringify!($type),
                        doc: concat!($($field_doc, "\n"),*),
                    }),*],
                ),
                (file!(), line!()),
            );

            fn id() -> crate::events::traits::EventId {
                const ID: crate::events::traits::EventId =
                    crate::events::traits::EventId(crate::events::info::index_of($name));
                ID
            }
        }
    };
}

/// Declares events that are their own payload:
/// `Marker { field: Type, } = "name", "example handler";`.
macro_rules! payload_events {
    (const $infos:ident; $(
        $(#[doc = $doc:literal])*
        $marker:ident { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* } = $name:literal, $example:literal;
    )*) => {
        $(
            $(#[doc = $doc])*
            ///
            /// ```
            /// use event_core::prelude::*;
            /// # /// An example.
            /// # #[module]
            /// # struct Example {}
            #[doc = $example]
            /// ```
            #[derive(Debug)]
            pub struct $marker {
                $($(#[doc = $field_doc])* pub $field: $type,)*
            }

            impl crate::events::traits::Payload for $marker {
                type Of<'p> = Self;
            }

            #[diagnostic::do_not_recommend]
            impl<'p> crate::events::traits::Fire<'p> for $marker {
                fn payload(&mut self) -> &mut Self {
                    self
                }
            }

            crate::events::declare::events!(@event $marker($marker) = $name, ($($doc)*), [
                $($field: $type, ($($field_doc)*);)*
            ]);
        )*

        /// The events of this file.
        pub(crate) const $infos: &[&crate::events::info::EventInfo] =
            &[$(<$marker as crate::events::traits::Event>::INFO),*];
    };
}

pub(crate) use {events, payload_events};

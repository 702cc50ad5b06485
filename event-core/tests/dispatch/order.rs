//! The order of handlers.

use event_core::{prelude::*, testing};

use crate::{note, noted, romeo, server};

mod alpha {
    use super::*;

    /// The first module by name.
    #[module(name = "order_alpha")]
    struct Alpha;

    #[hook("message/bare", priority = -1)]
    fn deliver(_: &mut Message) -> Flow {
        note("alpha -1");
        Flow::Handled
    }

    #[hook("message/bare", priority = 5)]
    fn second(_: &mut Message) {
        note("alpha 5 second");
    }

    #[hook("message/bare", priority = 5)]
    async fn third(_: &mut Message) {
        tokio::task::yield_now().await;
        note("alpha 5 third");
    }

    #[hook("message/self", priority = 5)]
    fn own(_: &mut Message) {
        note("alpha self 5");
    }

    #[hook("message/self", priority = 6)]
    fn own_before(_: &mut Message) {
        note("alpha self 6");
    }

    #[hook("message/self", priority = -1)]
    fn own_too_late(_: &mut Message) {
        note("alpha self -1");
    }

    #[hook("message/bare", priority = 1000)]
    fn filter(_: &mut Message) {
        note("alpha 1000");
    }

    #[hook("message/bare")]
    fn observe(_: &Message) {
        note("alpha 0");
    }

    #[hook("presence/self", priority = 1)]
    fn own_presence(_: &mut Presence) {
        note("alpha presence/self 1");
    }

    #[hook("presence/bare", priority = 1)]
    fn presence(_: &mut Presence) {
        note("alpha presence/bare 1");
    }

    #[hook("server-starting", priority = 1)]
    fn starting(_: &ServerStarting, cx: &Context<Alpha>) {
        note(format!("alpha {}", cx.host().name()));
    }

    #[hook("resource-bind")]
    fn bound(_: &ResourceBind, cx: &Context<Alpha>) {
        note(format!("alpha bind {}", cx.host().name()));
    }
}

mod beta {
    use super::*;

    /// A module without `after`: the configuration decides its order.
    #[module(name = "order_beta")]
    struct Beta;

    #[hook("message/bare", priority = 5)]
    fn handle(_: &mut Message) {
        note("beta 5");
    }

    #[hook("presence/bare", priority = 1)]
    fn presence(_: &mut Presence) {
        note("beta presence/bare 1");
    }

    #[hook("server-starting", priority = 1)]
    fn starting(_: &ServerStarting, cx: &Context<Beta>) {
        note(format!("beta {}", cx.host().name()));
    }

    #[hook("server-starting", priority = 2)]
    fn starting_before(_: &ServerStarting, cx: &Context<Beta>) {
        note(format!("beta first {}", cx.host().name()));
    }
}

mod gamma {
    use super::*;

    /// Runs after beta in any order of the configuration.
    #[module(name = "order_gamma", after = ["order_beta", "order_not_enabled"])]
    struct Gamma;

    #[hook("message/bare", priority = 5)]
    fn handle(_: &mut Message) {
        note("gamma 5");
    }
}

mod circle {
    use super::*;

    /// Runs after `order_about`, which runs after this module.
    #[module(name = "order_round", after = ["order_about"])]
    struct Round;

    #[hook("resource-bind")]
    fn bound(_: &ResourceBind) {}

    mod about {
        use super::*;

        /// Runs after `order_round`, which runs after this module.
        #[module(name = "order_about", after = ["order_round"])]
        struct About;

        #[hook("resource-bind")]
        fn bound(_: &ResourceBind) {}
    }
}

mod misspelt {
    use super::*;

    /// Has a misspelt name in `after`.
    #[module(name = "order_misspelt", after = ["order_betta"])]
    struct Misspelt;

    #[hook("resource-bind")]
    fn bound(_: &ResourceBind) {}
}

mod same_place {
    use super::*;

    /// Has two handlers at one position, from one macro invocation.
    #[module(name = "order_same_place")]
    struct SamePlace;

    macro_rules! twice {
        ($($module:ident)*) => {$(mod $module {
            use super::*;
            #[hook("message/bare", priority = 7)]
            fn handle(_: &mut Message) {
                note(stringify!($module));
            }
        })*};
    }

    twice!(zulu yankee);
}

const TO_JULIET: &str = "<message to='juliet@localhost'/>";

async fn order(modules: &[&str], xml: &str) -> Vec<String> {
    let server = server(modules).await;
    romeo(&server).await.send(xml).await;
    noted()
}

#[test]
fn handlers_run_by_priority_then_configuration_then_position() {
    testing::run(async {
        assert_eq!(
            order(&["order_alpha", "order_beta"], TO_JULIET).await,
            ["alpha 1000", "alpha 5 second", "alpha 5 third", "beta 5", "alpha 0", "alpha -1"]
        );
        assert_eq!(
            order(&["order_beta", "order_alpha"], TO_JULIET).await,
            ["alpha 1000", "beta 5", "alpha 5 second", "alpha 5 third", "alpha 0", "alpha -1"]
        );
    });
}

#[test]
fn after_takes_precedence_over_the_order_of_the_configuration() {
    testing::run(async {
        for modules in [["order_gamma", "order_beta"], ["order_beta", "order_gamma"]] {
            assert_eq!(order(&modules, TO_JULIET).await, ["beta 5", "gamma 5"]);
        }
        assert_eq!(order(&["order_gamma"], TO_JULIET).await, ["gamma 5"], "beta must not run");
    });
}

#[test]
fn bare_runs_before_self_at_equal_priority_in_all_modules() {
    testing::run(async {
        let expected = [
            "alpha 1000",
            "alpha self 6",
            "alpha 5 second",
            "alpha 5 third",
            "beta 5",
            "alpha self 5",
            "alpha 0",
            "alpha -1",
        ];
        for xml in ["<message/>", "<message to='romeo@localhost'/>"] {
            assert_eq!(order(&["order_alpha", "order_beta"], xml).await, expected);
        }
        assert_eq!(
            order(&["order_alpha", "order_beta"], "<presence/>").await,
            ["alpha presence/bare 1", "beta presence/bare 1", "alpha presence/self 1"]
        );
        assert_eq!(
            order(&["order_alpha"], "<presence to='juliet@localhost'/>").await,
            ["alpha presence/bare 1"],
            "/self must not run for another account"
        );
    });
}

#[test]
fn handlers_at_one_position_run_in_the_order_of_their_paths() {
    testing::run(async {
        assert_eq!(order(&["order_same_place"], TO_JULIET).await, ["yankee", "zulu"]);
    });
}

#[test]
fn handlers_of_global_events_run_by_priority_then_host() {
    testing::run(async {
        let server = testing::host("b.example").module("order_alpha").module("order_beta");
        let server = server.host("a.example").module("order_beta");
        let server = server.host("c.example").start().await.unwrap();
        let expected = [
            "beta first b.example",
            "beta first a.example",
            "alpha b.example",
            "beta b.example",
            "beta a.example",
        ];
        assert_eq!(noted(), expected);
        // The host on which the event is fired makes no difference.
        let other = server.core().host("c.example").unwrap();
        server.context().with_host(&other).fire(ServerStarting {}).await;
        assert_eq!(noted(), expected);
    });
}

#[test]
fn a_notification_of_a_host_runs_only_there() {
    testing::run(async {
        let server = testing::host("a.example").module("order_alpha");
        let server = server.host("b.example").module("order_alpha").host("c.example");
        let server = server.start().await.unwrap();
        noted();
        server.session("romeo@b.example/x").await;
        assert_eq!(noted(), ["alpha bind b.example"]);
        server.session("romeo@c.example/x").await;
        assert!(noted().is_empty(), "the module must not run on c.example");
    });
}

#[test]
fn a_cycle_or_a_misspelt_name_in_after_stops_the_start() {
    testing::run(async {
        let circle = testing::host("localhost").module("order_round").module("order_about");
        assert_eq!(
            circle.start().await.unwrap_err().to_string(),
            "the `after` lists of modules form a circle: order_round after order_about after order_round\n  help: remove one `after`"
        );
        let misspelt = testing::host("localhost").module("order_misspelt").start().await;
        assert_eq!(
            misspelt.unwrap_err().to_string(),
            "module `order_misspelt` must run after `order_betta`, which is not in this binary\n  help: did you mean `order_beta`?"
        );
    });
}

#[test]
fn the_listing_has_the_order_in_which_handlers_run() {
    testing::run(async {
        let server = server(&["order_beta", "order_alpha"]).await;
        romeo(&server).await.send("<message to='juliet@localhost'/>").await;
        let hooks = server.core().hooks(&server.host());
        let bare = hooks.iter().filter(|line| line.hook.event == "message/bare");
        let listing: Vec<_> =
            bare.map(|line| (line.hook.function, line.hook.priority, line.stats.calls)).collect();
        assert_eq!(
            listing,
            [
                ("filter", 1000, 1),
                ("handle", 5, 1),
                ("second", 5, 1),
                ("third", 5, 1),
                ("observe", 0, 1),
                ("deliver", -1, 1)
            ]
        );
        let starting = hooks.iter().filter(|line| line.hook.event == "server-starting");
        assert_eq!(starting.map(|line| line.stats.calls).collect::<Vec<_>>(), [1, 1, 1]);
    });
}

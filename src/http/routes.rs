//! One list of routes per resource, for its router and for its OpenAPI description.

use axum::Router;
use axum::handler::Handler;
use axum::routing::MethodRouter;
use utoipa::Path;
use utoipa_axum::PathItemExt as _;
use utoipa_axum::router::UtoipaMethodRouter;

use crate::app::App;

/// Defines `router()`, which serves the listed handlers, and `api()`, which also describes them.
///
/// Brackets group the handlers of one path. Each handler needs a `#[utoipa::path]`, which names its path and methods. `at`
/// adds fixed paths, for ids that are also the last segment of another route.
///
/// `utoipa_axum::routes!` alone builds the description together with the router. `router()` does not refer to the
/// description, so the functions do not contain it.
macro_rules! routes {
    ($([$($handler:ident $(:: $nested:ident)?),+ $(,)?] $(at $path:literal)*),+ $(,)?) => {
        /// Returns the router of these routes.
        pub fn router() -> axum::Router<$crate::app::App> {
            let router = axum::Router::new();
            $(
                let route = $crate::http::routes::Route::default()
                    $(.on(
                        $crate::http::routes::routes!(@description $handler $($nested)?),
                        &$handler $(:: $nested)?,
                    ))+;
                let router = route.add_to(router, &[$($path),*]);
            )+
            router
        }

        /// Returns the router of these routes, with their OpenAPI description.
        pub(crate) fn api() -> utoipa_axum::router::OpenApiRouter<$crate::app::App> {
            let router = utoipa_axum::router::OpenApiRouter::default();
            $(
                let routes = utoipa_axum::routes!($($handler $(:: $nested)?),+);
                $(let router = router.routes($crate::http::routes::at($path, &routes));)*
                let router = router.routes(routes);
            )+
            router
        }
    };
    // `#[utoipa::path]` implements `Path` for a unit struct of this name.
    (@description $handler:ident) => { utoipa_axum::paste! { [<__path_ $handler>] } };
    (@description $module:ident $handler:ident) => { utoipa_axum::paste! { $module::[<__path_ $handler>] } };
}

pub(crate) use routes;

/// The handlers of one path.
#[derive(Default)]
pub(crate) struct Route {
    path: String,
    methods: MethodRouter<App>,
}

impl Route {
    /// Adds a handler for the path and methods of its description.
    pub(crate) fn on<D, H, T>(self, _: D, handler: &H) -> Self
    where
        D: Path,
        H: Handler<T, App>,
        T: 'static,
    {
        let methods = D::methods()
            .into_iter()
            .map(|method| method.to_method_filter());
        Self {
            path: D::path(),
            methods: methods.fold(self.methods, |methods, method| {
                methods.on(method, handler.clone())
            }),
        }
    }

    /// Adds the route to a router, also at other paths.
    pub(crate) fn add_to(self, router: Router<App>, others: &[&str]) -> Router<App> {
        let paths = others.iter().copied().chain([self.path.as_str()]);
        paths.fold(router, |router, path| {
            router.route(path, self.methods.clone())
        })
    }
}

/// Returns described routes at another path.
pub(crate) fn at(path: &str, routes: &UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    let (schemas, mut paths, methods) = routes.clone();
    let items = std::mem::take(&mut paths.paths).into_values();
    paths.paths = items.map(|item| (path.to_owned(), item)).collect();
    (schemas, paths, methods)
}

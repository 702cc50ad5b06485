//! The bundled modules, one file each, named after the feature.

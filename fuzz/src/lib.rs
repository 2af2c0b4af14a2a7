//! What the fuzz targets share with the property tests: the laws, and a bump of one file.

#[path = "../../tests/it/support/message_laws.rs"]
pub mod message_laws;
#[path = "../../tests/it/support/one_file.rs"]
pub mod one_file;
#[path = "../../tests/it/support/yaml_laws.rs"]
pub mod yaml_laws;

//! Checks JSON against a JSON Schema, formats included.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// A schema, ready for use.
pub struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

/// Every schema is on its own, so they can all have the same address.
const ADDRESS: &str = "file:///schema.json";

impl Schema {
    pub fn new(json: Value) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource(ADDRESS, json).expect("an address that can be used");
        let index = compiler.compile(ADDRESS, &mut schemas).expect("a schema that can be used");
        Schema { schemas, index }
    }

    /// The schema in a file of the project.
    pub fn of_file(name: &str) -> Self {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        Schema::new(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    /// What is wrong with a value.
    pub fn problems(&self, value: &Value) -> Vec<String> {
        let result = self.schemas.validate(value, self.index);
        result.err().map(|error| error.to_string()).into_iter().collect()
    }
}

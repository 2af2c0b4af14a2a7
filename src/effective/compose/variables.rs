//! The variables of a compose project, as far as files give them.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::files::Files;
use super::super::place::{FileId, Place};
use super::super::root::Doubt;
use super::interpolation::interpolate;
use crate::dotenv::{Assignment, Quotes};

/// The variables of a project: layers of `.env` files, the strongest first. A variable of the shell would be
/// stronger than all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    layers: Vec<Rc<Layer>>,
}

/// Files that are read one after the other: the last assignment of a name counts.
#[derive(Debug, Default)]
struct Layer {
    assignments: Vec<(Place, Assignment)>,
    /// The numbers of a name's assignments, in order.
    by_name: HashMap<String, Vec<usize>>,
}

impl Layer {
    fn add(&mut self, place: Place, assignment: Assignment) {
        self.by_name.entry(assignment.name.clone()).or_default().push(self.assignments.len());
        self.assignments.push((place, assignment));
    }

    /// The last assignment of a name before this one.
    fn last(&self, name: &str, before: usize) -> Option<usize> {
        let numbers = self.by_name.get(name)?;
        let count = numbers.partition_point(|&number| number < before);
        numbers.get(count.checked_sub(1)?).copied()
    }
}

/// What is visible at a place: all layers before this one, and the assignments of this one before this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VariableLayer {
    layer: usize,
    assignment: usize,
}

/// An assignment, and what is visible in its value.
pub(super) struct FoundVariable<'a> {
    pub place: Place,
    pub assignment: &'a Assignment,
    pub scope: VariableLayer,
}

impl Variables {
    /// What is visible in a compose file.
    pub fn scope(&self) -> VariableLayer {
        VariableLayer { layer: self.layers.len(), assignment: 0 }
    }

    /// The assignment that gives a variable its value. (compose-go, `dotenv.GetEnvFromFile`)
    pub fn find(&self, name: &str, scope: VariableLayer) -> Option<FoundVariable<'_>> {
        self.layers.iter().enumerate().take(scope.layer + 1).find_map(|(layer, of_layer)| {
            let before = if layer == scope.layer { scope.assignment } else { usize::MAX };
            let last = of_layer.last(name, before)?;
            let (place, assignment) = &of_layer.assignments[last];
            Some(FoundVariable {
                place: *place,
                assignment,
                scope: VariableLayer { layer, assignment: last },
            })
        })
    }

    /// The value of a variable, with the variables in it replaced.
    pub fn value(&self, name: &str) -> Option<String> {
        let found = self.find(name, self.scope())?;
        let text = &found.assignment.value;
        Some(match found.assignment.quotes {
            Quotes::Single => text.clone(),
            Quotes::None | Quotes::Double => interpolate(text, found.place, found.scope, self).text(),
        })
    }

    /// Where a variable gets its value.
    pub fn place(&self, name: &str) -> Option<Place> {
        self.find(name, self.scope()).map(|found| found.place)
    }

    /// The same variables with weaker ones from more files. Also returns the files, and those that compose rejects.
    pub fn with_files(&self, files: &mut Files<'_>, paths: &[String]) -> (Self, Vec<FileId>, Vec<Doubt>) {
        let (mut layer, mut read, mut doubts) = (Layer::default(), Vec::new(), Vec::new());
        for path in paths {
            let Some(file) = files.load_dotenv(path) else { continue };
            read.push(file);
            match &files.file(file).assignments {
                Some(Ok(assignments)) => {
                    for (node, assignment) in assignments.iter().enumerate() {
                        layer.add(Place { file, node }, assignment.clone());
                    }
                }
                Some(Err(error)) => {
                    let what = format!("can't be read by compose: {error}");
                    doubts.push(Doubt { at: Some(Place { file, node: 0 }), what });
                }
                None => {}
            }
        }
        let layers = self.layers.iter().cloned().chain([Rc::new(layer)]).collect();
        (Variables { layers }, read, doubts)
    }
}

//! The text of a new workflow: one job, to be called by the workflow that builds, or by hand.

use crate::yaml::{Style, render};

/// The workflow; `example` is a service, or an image, that its comments and defaults name.
pub fn text(example: Option<&str>) -> String {
    let line = |line: &str| match (line, example) {
        (DEFAULT, Some(name)) => format!("        default: {}\n", render(name, Style::Plain, false)),
        (DEFAULT, None) => String::new(),
        _ => format!("{}\n", line.replace("EXAMPLE", example.unwrap_or("NAME"))),
    };
    WORKFLOW.lines().map(line).collect()
}

/// The line of the default, which there may be none of.
const DEFAULT: &str = "DEFAULT";

const WORKFLOW: &str = "\
# Puts the tag of a freshly built image into the files of this repository, and pushes the commit.
#
# The workflow that builds and pushes the image calls this one, in a job of its own:
#
#   deploy:
#     needs: build
#     permissions:
#       contents: write
#     uses: ./.github/workflows/tagbump.yml
#     with:
#       services: EXAMPLE
#       tag: ${{ needs.build.outputs.tag }} # left out: computed as tagbump.yaml says
#
# Or it has the step itself, behind the one that pushes the image:
#
#   - uses: tagbump/tagbump@v1
#     with:
#       image: EXAMPLE
#       tag: ${{ steps.tag.outputs.tag }}
#
# By hand, also from elsewhere: gh workflow run tagbump.yml -f services=EXAMPLE -f tag=TAG
name: tagbump

on:
  workflow_call:
    inputs:
      services:
        description: Services of tagbump.yaml, one a line
        type: string
        required: true
      tag:
        description: The tag to deploy
        type: string
  workflow_dispatch:
    inputs:
      services:
        description: A service of tagbump.yaml
        type: string
        required: true
DEFAULT
      tag:
        description: The tag to deploy
        type: string
        required: true

permissions: {}

jobs:
  bump:
    runs-on: ubuntu-24.04
    permissions:
      contents: write # pushes the bump
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - uses: tagbump/tagbump@v1
        with:
          image: ${{ inputs.services }}
          tag: ${{ inputs.tag }}
";

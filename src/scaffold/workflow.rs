//! The text of a new workflow with one job. The build workflow calls it, or a person starts it by hand.

use crate::yaml::{ScalarStyle, render};

/// The workflow. `example` is a service or an image for its comments and defaults.
pub fn text(example: Option<&str>) -> String {
    let line = |line: &str| match (line, example) {
        (DEFAULT, Some(name)) => format!("        default: {}\n", render(name, ScalarStyle::Plain, false)),
        (DEFAULT, None) => String::new(),
        _ => format!("{}\n", line.replace("EXAMPLE", example.unwrap_or("NAME"))),
    };
    WORKFLOW.lines().map(line).collect()
}

/// The placeholder line for the default value. It is left out if there is no example.
const DEFAULT: &str = "DEFAULT";

const WORKFLOW: &str = "\
# Writes the tag of a freshly built image into the files of this repository, and pushes the commit.
#
# Call this workflow from the one that builds and pushes the image, in a separate job:
#
#   deploy:
#     needs: build
#     permissions:
#       contents: write
#     uses: ./.github/workflows/tagbump.yml
#     with:
#       services: EXAMPLE
#       tag: ${{ needs.build.outputs.tag }} # if omitted, computed as tagbump.yaml says
#
# Or add the step to that workflow, after the one that pushes the image:
#
#   - uses: tagbump/tagbump@v1
#     with:
#       image: EXAMPLE
#       tag: ${{ steps.tag.outputs.tag }}
#
# Or start it by hand, or from elsewhere: gh workflow run tagbump.yml -f services=EXAMPLE -f tag=TAG
name: tagbump

on:
  workflow_call:
    inputs:
      services:
        description: Services from tagbump.yaml, one per line
        type: string
        required: true
      tag:
        description: The tag to deploy
        type: string
  workflow_dispatch:
    inputs:
      command:
        description: Deploy a tag, or go back
        type: choice
        options: [bump, rollback]
      services:
        description: A service from tagbump.yaml
        type: string
        required: true
DEFAULT
      tag:
        description: The tag to deploy, or to go back to (if empty, the previous one)
        type: string

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
          command: ${{ inputs.command || 'bump' }}
          image: ${{ inputs.services }}
          tag: ${{ inputs.command != 'rollback' && inputs.tag || '' }}
          to: ${{ inputs.command == 'rollback' && inputs.tag || '' }}
";

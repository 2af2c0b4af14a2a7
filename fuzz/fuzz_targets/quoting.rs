//! Any string in any style: it reads back as that string, and stays plain only where every reader agrees.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tagbump::yaml::ScalarStyle;
use tagbump_fuzz::yaml_laws::rendering_reads_back;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    style: u8,
    flow: bool,
    value: &'a str,
}

fuzz_target!(|input: Input| {
    let styles = [ScalarStyle::Plain, ScalarStyle::Single, ScalarStyle::Double, ScalarStyle::Block];
    let style = styles[usize::from(input.style) % styles.len()];
    rendering_reads_back(input.value, style, input.flow);
});

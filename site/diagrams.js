// Draws the Mermaid diagrams of a page, as GitHub does. Pages without one load nothing.
(() => {
    const blocks = document.querySelectorAll("code.language-mermaid");
    if (!blocks.length) return;
    for (const block of blocks) {
        const diagram = document.createElement("pre");
        diagram.className = "mermaid";
        diagram.textContent = block.textContent;
        block.parentElement.replaceWith(diagram);
    }
    const dark = ["navy", "coal", "ayu"].some((theme) => document.documentElement.classList.contains(theme));
    const script = document.createElement("script");
    script.src = path_to_root + "mermaid.min.js";
    script.onload = () => mermaid.initialize({ startOnLoad: false, theme: dark ? "dark" : "default" }) || mermaid.run();
    document.head.append(script);
})();

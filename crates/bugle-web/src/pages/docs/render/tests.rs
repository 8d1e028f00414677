//! Small documents and what becomes of them.

use super::*;

fn html(markdown: &str) -> String {
    render("docs/a.md", markdown).html
}

#[test]
fn headings_and_terms_have_anchors_of_their_own() {
    let out = render(
        "docs/a.md",
        "# Codes\n\nWhat they mean.\n\n## Who you are\n\n| code | meaning |\n|--:|---|\n\
         | `forbidden` | Not `allowed`. |\n| `not_found` | Gone. |\n\n- `forbidden`: again.\n\n\
         ## Who you are\n",
    );
    assert_eq!((out.title.as_str(), out.about.as_str()), ("Codes", "What they mean."));
    let anchors: Vec<&str> = out.places.iter().map(|place| place.anchor.as_str()).collect();
    assert_eq!(anchors, ["", "who-you-are", "forbidden", "not_found", "who-you-are-1"]);
    insta::assert_snapshot!(out.html, @r#"
    <p>What they mean.</p>
    <h2 id="who-you-are">Who you are</h2>
    <div class="tablewrap"><table><thead><tr><th scope="col">code</th><th scope="col">meaning</th></tr></thead><tbody><tr><td><code id="forbidden">forbidden</code></td><td>Not <code>allowed</code>.</td></tr>
    <tr><td><code id="not_found">not_found</code></td><td>Gone.</td></tr>
    </tbody></table></div>
    <ul><li><code>forbidden</code>: again.</li>
    </ul><h2 id="who-you-are-1">Who you are</h2>
    "#);
}

#[test]
fn links_between_documents_lead_to_their_pages() {
    let out = render(
        "docs/a.md",
        "[a](errors.md#forbidden) [b](../ARCHITECTURE.md) [c](decisions/) [d](#x) \
         [e](https://x.example/?a=1&b=2) [f](README.md) [g](gone.md)",
    );
    assert_eq!(out.lost, ["gone.md"]);
    insta::assert_snapshot!(out.html, @r##"
    <p><a href="/docs/errors#forbidden">a</a> <a href="/docs/architecture">b</a> <a href="/docs#decisions">c</a> <a href="#x">d</a> <a href="https://x.example/?a=1&amp;b=2">e</a> <a href="/docs">f</a> <a href="gone.md">g</a></p>
    "##);
}

#[test]
fn markup_in_a_document_is_shown_as_text() {
    let out = html("<script>x</script> a < b & \"c\"\n\n```\n<b> & \"q\"\n```\n");
    insta::assert_snapshot!(out, @r#"
    &lt;script&gt;x&lt;/script&gt; a &lt; b &amp; &quot;c&quot;
    <div class="code"><button class="btn copy" type="button" data-copy="&lt;b&gt; &amp; &quot;q&quot;" hidden>Copy</button><pre>&lt;b&gt; &amp; &quot;q&quot;</pre></div>
    "#);
}

// Bugle's one script. Every page works without it: it makes forms faster, pages live, and keys work.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const body = document.body;

  // ---- time: the server's, kept right over drift ----
  let drift = Number(body.dataset.now || Date.now()) - Date.now();
  const now = () => Date.now() + drift;
  const clock = (seconds) => {
    const s = Math.max(0, Math.floor(seconds));
    const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
    const two = (n) => String(n).padStart(2, "0");
    return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
  };
  const ago = (seconds) => {
    if (seconds < 30) return "just now";
    if (seconds < 3600) return `${Math.max(1, Math.floor(seconds / 60))} min ago`;
    if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
    return `${Math.floor(seconds / 86400)} days ago`;
  };
  let said = 0;
  const say = (text) => {
    // At most one announcement in five seconds.
    if (Date.now() - said < 5000) return;
    said = Date.now();
    const region = $("#say");
    if (region) region.textContent = text;
  };
  const set = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const tick = () => {
    for (const element of $$("[data-due]")) {
      const left = (Date.parse(element.dataset.due) - now()) / 1000;
      set(element, clock(left));
      const whole = Math.round(left);
      if (element.closest(".told") && (whole === 60 || whole === 10)) say(`Next step in ${whole} seconds`);
    }
    for (const bar of $$("[data-from][data-to]")) {
      const [from, to] = [Date.parse(bar.dataset.from), Date.parse(bar.dataset.to)];
      bar.setAttribute("width", Math.min(100, Math.max(0, (now() - from) / (to - from) * 100)).toFixed(1));
    }
    for (const element of $$("time[data-ago]")) set(element, ago((now() - Date.parse(element.dateTime)) / 1000));
    freshness();
  };

  // ---- put new HTML in place, and leave alone what the reader uses ----
  const busy = (element) => element === document.activeElement && /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  // What the last answer said stays until the next one, also when a live part does not know it.
  let living = false;
  const morph = (old, fresh) => {
    if (old.nodeType !== 1) { if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue; return; }
    if (busy(old)) return;
    if (living && "keep" in old.dataset && !fresh.textContent.trim()) return;
    for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) {
      if (fresh.hasAttribute(name) || (name === "open" && old.id) || name === "hidden") continue;
      old.removeAttribute(name);
    }
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(old.tagName)) { if (!living) refill(old, fresh); return; }
    children(old, fresh);
  };
  // After an answer a field holds what the answer says, whatever was typed before.
  const refill = (old, fresh) => {
    if (old.tagName !== "INPUT") old.innerHTML = fresh.innerHTML;
    if (old.value !== fresh.value) old.value = fresh.value;
    if (old.checked !== fresh.checked) old.checked = fresh.checked;
  };
  const children = (old, fresh) => {
    const keyed = new Map([...old.children].filter((c) => c.id).map((c) => [c.id, c]));
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      let match = wanted.id ? keyed.get(wanted.id) : null;
      if (!match && at && same(at, wanted) && !wanted.id) match = at;
      if (match) {
        if (match !== at) old.insertBefore(match, at);
        morph(match, wanted);
        at = match.nextSibling;
      } else {
        old.insertBefore(document.importNode(wanted, true), at);
      }
    }
    while (at) { const gone = at; at = at.nextSibling; if (!gone.contains(document.activeElement) && !(living && gone.dataset && "keep" in gone.dataset)) gone.remove(); }
  };
  // New rows do not move the row under the finger: they wait behind "3 new".
  let waiting = null;
  const hold = (target, fresh) => {
    const rows = $$("[data-rows] > li", target).map((row) => row.id);
    const added = $$("[data-rows] > li", fresh).filter((row) => !rows.includes(row.id));
    if (!rows.length || !added.length || scrollY < 80 && !$(".list :hover, .list :focus-within")) return false;
    waiting = fresh;
    const button = $("#fresh");
    if (button) { button.style.display = "block"; $("button", button).textContent = `${added.length} new`; }
    say(`${added.length} new`);
    return true;
  };
  const place = (id, html) => {
    const target = document.getElementById(id);
    if (!target) return;
    const fresh = target.cloneNode(false);
    fresh.innerHTML = html;
    living = true;
    if (!hold(target, fresh)) children(target, fresh);
    living = false;
    ready(target);
    tick();
  };

  // ---- live: one stream for all windows of a browser, which allows six connections to one host.
  // The windows that are looked at ask for a lock; who holds it leads, and opens the stream with
  // the topics of all. Without locks and channels each window has a stream of its own. ----
  const MOST_TOPICS = 32;
  const live = $("#live");
  const tab = `${Date.now()} ${Math.random()}`;
  const shared = navigator.locks && window.BroadcastChannel;
  const wants = new Map(), last = new Map();
  let source = null, heard = 0, lastShown = "", group = "", link = null;
  let turn = null, release = null, gathering = 0, opened = "";
  const began = Date.now();
  const time = () => new Date(now()).toLocaleTimeString([], { hour12: false });
  const freshness = () => {
    if (!live || !body.dataset.live) return;
    const broken = source && source.readyState === 2;
    const on = heard && Date.now() - heard < 25000 && !broken;
    if (!on && !broken && Date.now() - (heard || began) < 25000) return;
    live.dataset.state = on ? "on" : "off";
    set(live, on ? "Live" : `Not live. Showing ${lastShown || live.dataset.shown}.`);
  };
  const hear = (news) => {
    if (!news.topics.includes(body.dataset.live)) return;
    heard = Date.now();
    if (news.now) drift = news.now - Date.now();
    if (news.part && news.part.topic === body.dataset.live) place(news.part.id, news.part.html);
    lastShown = time();
    freshness();
  };
  const open = (topics) => {
    if (source) source.close();
    last.clear();
    opened = topics.join("\n");
    const query = topics.map((topic) => `topic=${encodeURIComponent(topic)}`);
    if (body.dataset.who) query.push(`who=${body.dataset.who}`);
    const mine = source = new EventSource(`/live?${query.join("&")}`);
    const spread = (news) => {
      news.topics = topics;
      if (link) link.postMessage({ news });
      hear(news);
    };
    source.addEventListener("open", () => spread({}));
    source.addEventListener("beat", (event) => spread({ now: Number(event.data) }));
    source.addEventListener("part", (event) => {
      const part = JSON.parse(event.data);
      last.set(part.topic, { part, topics });
      spread({ part });
    });
    source.addEventListener("error", () => {
      if (mine.readyState === 2) setTimeout(() => { if (source === mine) open(topics); }, 5000);
      freshness();
    });
  };
  const lead = () => {
    clearTimeout(gathering);
    gathering = setTimeout(() => {
      const topics = [...new Set(wants.values())].slice(0, MOST_TOPICS);
      if (release && topics.join("\n") !== opened) open(topics);
    }, 100);
  };
  const told = ({ data }) => {
    if (data.news) hear(data.news);
    else if (data.call) { if (turn) link.postMessage({ tab, want: body.dataset.live }); }
    else if (release) {
      if (data.want) wants.set(data.tab, data.want); else wants.delete(data.tab);
      if (last.has(data.want)) link.postMessage({ news: last.get(data.want) });
      lead();
    }
  };
  const leave = () => {
    if (link && turn) link.postMessage({ tab });
    if (turn) turn.abort();
    if (release) release();
    if (source) source.close();
    clearTimeout(gathering);
    wants.clear();
    turn = release = source = null;
    opened = "";
  };
  const join = (name) => {
    leave();
    if (link) link.close();
    group = name;
    link = shared ? new BroadcastChannel(name) : null;
    if (link) link.onmessage = told;
  };
  const listen = () => {
    const topic = !document.hidden && window.EventSource && body.dataset.live;
    if (!topic) { leave(); return; }
    const name = `bugle-live ${body.dataset.who || topic}`;
    if (name !== group) join(name);
    if (!link) { open([topic]); return; }
    if (release) { wants.set(tab, topic); lead(); } else link.postMessage({ tab, want: topic });
    if (turn) return;
    const mine = turn = new AbortController();
    navigator.locks.request(name, { signal: mine.signal }, () => new Promise((done) => {
      if (turn !== mine) { done(); return; }
      release = done;
      wants.set(tab, body.dataset.live);
      link.postMessage({ call: true });
      lead();
    })).catch(() => {});
  };
  // A window nobody looks at neither leads nor asks; it hears what is told to others.
  document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); else { listen(); tick(); } });
  addEventListener("pagehide", leave);

  // ---- forms: sent without leaving the page; the answer is shown only when it is there ----
  const fail = (form, text) => {
    const foot = form.closest(".foot");
    let line = foot ? $("#so", foot) : $(".stuck", form);
    if (!line) { line = document.createElement("p"); form.append(line); }
    line.classList.add("stuck");
    line.setAttribute("role", "status");
    line.textContent = text;
  };
  const swap = (html, url, redirected) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const fresh = $("#main", page);
    // Another frame, as after signing in, is loaded as a whole.
    if (!fresh || redirected && page.body.className !== body.className) return false;
    document.title = page.title;
    const moved = new URL(url, location.href);
    if (moved.pathname + moved.search !== location.pathname + location.search) {
      history.pushState(null, "", moved);
      scrollTo(0, 0);
    }
    for (const name of ["live", "now", "who"]) {
      if (page.body.dataset[name]) body.dataset[name] = page.body.dataset[name]; else delete body.dataset[name];
    }
    body.className = page.body.className;
    drift = Number(body.dataset.now || Date.now()) - Date.now();
    if (document.activeElement && document.activeElement !== body) document.activeElement.blur();
    const nav = $("#nav"), freshNav = $("#nav", page);
    if (nav && freshNav) children(nav, freshNav);
    children($("#main"), fresh);
    ready($("#main"));
    listen();
    tick();
    const focus = $("#errors") || $("[autofocus]", $("#main")) || $("#flash") || $("#foot .done") || $("#main");
    if (focus.tabIndex < 0) focus.setAttribute("tabindex", "-1");
    focus.focus({ preventScroll: focus.id === "main" || focus.classList.contains("done") });
    return true;
  };
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  // A field may be called "action", and then `form.action` is that field.
  const target = (form) => new URL(form.getAttribute("action") || "", location.href);
  const send = async (form, button) => {
    const data = new URLSearchParams(new FormData(form, button));
    const label = button && button.innerHTML;
    if (button) { button.setAttribute("aria-disabled", "true"); if (button.dataset.wait) button.textContent = button.dataset.wait; }
    form.dataset.sending = "1";
    for (let attempt = 0; ; attempt++) {
      // Only what may be sent twice without harm is given up and sent again.
      const again = form.dataset.act && attempt < 60;
      const stop = new AbortController();
      const late = again && setTimeout(() => stop.abort(), 10000);
      try {
        const answer = await fetch(target(form), { method: "POST", body: data, headers: { accept: "text/html" }, signal: stop.signal });
        const where = answer.headers.get("content-location") || (answer.redirected ? answer.url : location.href);
        const shown = swap(await answer.text(), where, answer.redirected);
        if (!shown) location.assign(answer.url);
        break;
      } catch (error) {
        if (!again) { fail(form, "Not sent. Check the connection and try again."); break; }
        fail(form, form.dataset.act === "acknowledge" ? "Not sent yet. Trying. Pages will go on." : "Not sent yet. Trying.");
        const text = $("#bytext");
        if (text && form.dataset.act === "acknowledge") text.hidden = false;
        await wait(Math.min(10000, 500 * 2 ** attempt));
      } finally {
        clearTimeout(late);
      }
    }
    delete form.dataset.sending;
    if (button && button.isConnected) { button.removeAttribute("aria-disabled"); if (label !== null && button.dataset.wait) button.innerHTML = label; }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || target(form).pathname === "/theme") return;
    event.preventDefault();
    if (form.dataset.sending) return;
    const button = event.submitter;
    if (button && button.dataset.sure && !confirm(`${button.dataset.sure} Go on?`)) return;
    send(form, button);
  });
  addEventListener("popstate", () => location.reload());

  // ---- small things of single pages ----
  const ready = (root) => {
    for (const button of $$("[data-copy][hidden]", root)) if (navigator.clipboard) button.hidden = false;
    const zone = $("[data-tz]", root);
    if (zone) {
      const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
      if (name) { zone.value = name; const shown = $("[data-tzname]"); if (shown) shown.textContent = name; }
    }
    count();
  };
  const count = () => {
    const line = $("#bulksay");
    if (!line) return;
    const picked = $$(".pick input:checked");
    const paging = picked.filter((box) => box.dataset.paging === "true").length;
    const many = (n) => n === 1 ? "1 alert" : `${n} alerts`;
    if (picked.length) line.textContent = `${many(picked.length)} ticked. Acknowledge stops paging for ${many(paging)}.`;
  };
  document.addEventListener("change", (event) => { if (event.target.closest(".pick")) count(); });
  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      await navigator.clipboard.writeText(copy.dataset.copy);
      copy.textContent = "Copied";
      say("Copied");
      setTimeout(() => { copy.textContent = "Copy"; }, 2000);
    }
    if (event.target.closest("[data-fresh]") && waiting) {
      children($("#main"), waiting);
      waiting = null;
      $("#fresh").style.display = "none";
    }
  });

  // ---- keys ----
  const HELP = [["g a", "alerts"], ["g s", "schedules"], ["g p", "people"], ["g i", "integrations"], ["/", "filter"], ["j k", "move"], ["x", "tick"], ["Enter", "open"], ["a", "acknowledge"], ["r", "resolve"], ["e", "pass on"], ["n", "note"], ["c", "cover a shift"], ["Esc", "back"], ["?", "this list"]];
  const GO = { a: "/alerts", s: "/schedules", p: "/people", i: "/integrations", l: "/ledger", h: "/handset" };
  const help = () => {
    let dialog = $("#help");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "help";
      dialog.setAttribute("aria-label", "Keys");
      dialog.innerHTML = `<h2>Keys</h2><dl>${HELP.map(([k, t]) => `<dt><kbd>${k}</kbd></dt><dd>${t}</dd>`).join("")}</dl><p class="hint">Single keys can be turned off in My profile.</p><form method="dialog"><button class="btn">Close</button></form>`;
      body.append(dialog);
    }
    dialog.showModal();
  };
  const step = (by) => {
    const rows = $$(".rows .row");
    if (!rows.length) return;
    const at = rows.indexOf(document.activeElement);
    rows[Math.min(rows.length - 1, Math.max(0, at + by))].focus();
  };
  const press = (path) => {
    const form = $(`form[action$="/${path}"]`);
    const button = form && $("button", form);
    if (button) button.click();
  };
  let prefix = 0;
  document.addEventListener("keydown", (event) => {
    if (!("keys" in body.dataset) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox") {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if ($("dialog[open]")) return;
    const after = Date.now() - prefix < 1500;
    prefix = 0;
    if (after && GO[event.key]) { location.assign(GO[event.key]); return; }
    const row = document.activeElement && document.activeElement.closest(".rows > li");
    const actions = {
      g: () => { prefix = Date.now(); },
      "?": help,
      "/": () => { const box = $("#q"); if (box) box.focus(); else location.assign("/alerts"); },
      j: () => step(1),
      k: () => step(-1),
      x: () => { const box = row && $(".pick input", row); if (box) box.click(); },
      a: () => press("acknowledge"),
      r: () => press("resolve"),
      e: () => press("pass-on"),
      n: () => { const note = $("#text"); if (note) note.focus(); },
      c: () => { const cover = $("#user"); if (cover) cover.focus(); },
      Escape: () => { const back = $(".top .back"); if (back) location.assign(back.href); },
    };
    const action = actions[event.key];
    if (action) { event.preventDefault(); action(); }
  });

  if (live) live.dataset.shown = live.textContent.replace(/^\D*/, "");
  ready(document);
  listen();
  tick();
  setInterval(tick, 1000);
})();

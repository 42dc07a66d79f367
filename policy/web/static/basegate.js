// What pages do beyond their HTML: activity as it comes, and buttons that copy. Both are left out where no script runs.
"use strict";

/** Rows that a stream of events adds to a table, the latest first, as a reload would show them. */
class LiveTable {
  static FIRST_WAIT = 2000;
  static LONGEST_WAIT = 120000;

  constructor(table) {
    this.table = table;
    this.body = table.tBodies[0];
    this.last = Number(table.dataset.after);
    this.most = Number(table.dataset.rows);
    this.waiting = [];
    this.paused = false;
    this.wait = LiveTable.FIRST_WAIT;
    this.controls();
    // Nothing moves under whoever is at a row with the keyboard.
    this.body.addEventListener("focusout", () => setTimeout(() => this.show()));
    document.addEventListener("visibilitychange", () => this.visible());
    this.open();
  }

  controls() {
    this.state = document.createElement("span");
    this.state.setAttribute("role", "status");
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "quiet";
    this.button.addEventListener("click", () => {
      this.paused = !this.paused;
      this.show();
    });
    document.getElementById("live").replaceChildren(this.state, " ", this.button);
    this.tell();
  }

  tell() {
    const count = this.waiting.length;
    const more = count ? ` ${count} new ${count === 1 ? "event waits" : "events wait"}.` : "";
    const state = !this.source ? "Not connected: trying again." : this.paused ? "Paused." : "New events are added as they come.";
    if (this.state.textContent !== state + more) this.state.textContent = state + more;
    this.button.textContent = this.paused ? "Go on" : "Pause";
  }

  open() {
    const source = new EventSource(`${location.pathname}?after=${this.last}`);
    this.source = source;
    source.addEventListener("open", () => {
      this.wait = LiveTable.FIRST_WAIT;
      this.tell();
    });
    source.addEventListener("row", (event) => this.take(event));
    // A stream that ended is opened again by the browser, with the last id; one that was refused is not.
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED && this.source === source) this.later();
    });
    this.tell();
  }

  later() {
    this.close();
    this.timer = setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(2 * this.wait, LiveTable.LONGEST_WAIT);
    this.tell();
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  /** A page that nobody sees keeps no connection. */
  visible() {
    this.close();
    if (!document.hidden) this.open();
  }

  take(event) {
    const id = Number(event.lastEventId);
    if (id <= this.last) return;
    this.last = id;
    const made = document.createElement("template");
    made.innerHTML = event.data;
    this.waiting.push(made.content.firstElementChild);
    this.waiting.splice(0, this.waiting.length - this.most);
    this.show();
  }

  show() {
    if (!this.paused && !this.body.contains(document.activeElement)) {
      for (const row of this.waiting.splice(0)) {
        row.classList.add("new");
        this.body.prepend(row);
      }
      while (this.body.rows.length > this.most) this.body.lastElementChild.remove();
      this.table.hidden = !this.body.rows.length;
      const none = document.getElementById("none");
      if (none) none.hidden = !this.table.hidden;
      this.judge();
    }
    this.tell();
  }

  pending() {
    return [...this.body.querySelectorAll("tr:has(.is-pending)")];
  }

  /** The verdict of what was pending comes later: these rows are asked for, and no others. */
  judge() {
    if (this.judging || !this.pending().length) return;
    this.judging = setTimeout(async () => {
      try {
        const ids = this.pending().map((row) => row.id.replace("event-", ""));
        const answer = await fetch(`${location.pathname}?only=${ids}`, { headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const pending of this.pending()) {
          const now = page.getElementById(pending.id);
          if (now && !now.querySelector(".is-pending") && !pending.contains(document.activeElement)) pending.replaceWith(now);
        }
      } catch {
        // The server is away: the next round asks again.
      }
      this.judging = undefined;
      this.judge();
    }, LiveTable.FIRST_WAIT);
  }
}

/** What was refused, as a reload would show it; nothing moves under whoever is at it with the keyboard. */
function renewed(section) {
  setInterval(async () => {
    if (document.hidden || section.contains(document.activeElement)) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const now = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(section.id);
      if (!now || now.innerHTML === section.innerHTML || section.contains(document.activeElement)) return;
      section.replaceChildren(...now.childNodes);
    } catch {
      // The server is away: the next round asks again.
    }
  }, LiveTable.FIRST_WAIT);
}

/** Gives a command a button that copies it, where browsers allow that: on this machine, or over TLS. */
function copied(command) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy quiet";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy: ${command.textContent}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(command);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  const holder = document.createElement("div");
  // Its distance and width are those of what it holds.
  holder.className = ["copied", ...["gap", "block"].filter((name) => command.classList.contains(name))].join(" ");
  command.classList.remove("gap", "block");
  command.replaceWith(holder);
  holder.append(command, button);
}

const live = document.querySelector("table[data-after]");
if (live) new LiveTable(live);
const refused = document.getElementById("refused");
if (refused) renewed(refused);
if (navigator.clipboard) document.querySelectorAll("pre.cmd").forEach(copied);

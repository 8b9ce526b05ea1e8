import type { Evaluation } from "../../tasks/language-model/evaluate.ts";
import type { InitialisedEvent, LanguageModelEvent, SomeTokens } from "../../tasks/language-model/events.ts";
import type { RunEvent } from "../../tasks/language-model/runs.ts";
import type { ResumeEvent } from "../../training/events.ts";
import { compactNumber, duration } from "./format.ts";
import { profileTable } from "./profile.ts";
import { ProgressBar } from "./progress.ts";

type Shown = LanguageModelEvent | RunEvent | ({ type: "test" } & Evaluation);

/** Shows a training as it goes on: one JSON event a line on stdout, or a progress bar and notes on stderr. */
export class TrainingView {
  readonly #bar: ProgressBar | undefined;

  constructor(json: boolean) {
    this.#bar = json ? undefined : new ProgressBar();
  }

  /** `run` names the training where there are several. */
  show(event: Shown, run?: string): void {
    if (!this.#bar) {
      process.stdout.write(`${JSON.stringify(run === undefined ? event : { ...event, run })}\n`);
      return;
    }
    if (event.type === "step") {
      this.#bar.update({
        fraction: event.progress,
        stage: `epoch ${event.epoch}/${event.epochs}`,
        loss: event.loss,
        tokensPerSecond: event.tokensPerSecond,
        secondsLeft: event.secondsLeft,
      });
    } else if (event.type === "reading") {
      this.#bar.update({ fraction: event.progress, stage: stages[event.stage] });
    } else {
      const line = describe(event);
      if (line) this.#bar.note(line);
    }
  }

  /** A remark on stderr. */
  note(line: string): void {
    if (this.#bar) this.#bar.note(line);
    else process.stderr.write(`${line}\n`);
  }

  end(): void {
    this.#bar?.end();
  }
}

const stages = {
  hash: "identifying the text",
  measure: "measuring the text",
  vocabulary: "collecting its vocabulary",
  tokens: "making its tokens",
} as const;

function describe(event: Exclude<Shown, { type: "step" | "reading" }>): string | undefined {
  switch (event.type) {
    case "corpus":
      return (
        `text: ${compactNumber(event.tokens)} tokens of ${event.vocabularySize}, ` +
        `${compactNumber(event.heldOut)} held out; ` +
        (event.found ? "found" : `made in ${duration(event.seconds)}`) +
        (event.path === undefined ? "" : `, kept in ${event.path}`)
      );
    case "run": {
      const how = event.finished ? ", finished before" : "";
      return `run ${event.number} of ${event.of}: ${event.run}${how}`;
    }
    case "initialised":
      return describeStart(event);
    case "resume":
      return describeResume(event);
    case "validation":
      return (
        `epoch ${event.epoch}: validation loss ${event.loss.toFixed(4)}, perplexity ${event.perplexity.toFixed(2)}` +
        (event.best ? "" : " (no better)")
      );
    case "sample":
      return event.text.replace(/^/gm, "  | ");
    case "checkpoint":
      return undefined;
    case "test":
      return `test: loss ${event.loss.toFixed(4)}, perplexity ${event.perplexity.toFixed(2)}`;
    case "done": {
      const best =
        event.validLoss === undefined
          ? ""
          : `; best validation loss ${event.validLoss.toFixed(4)}, perplexity ${event.perplexity!.toFixed(2)}`;
      const how = { finished: "done", "early-stopping": "stopped early", aborted: "interrupted" }[
        event.reason
      ];
      const profile = event.profile ? `\n\n${profileTable(event.profile)}` : "";
      return `${how}: ${event.step} updates in ${duration(event.seconds)}, ${compactNumber(event.tokensPerSecond)} tokens/s${best}${profile}`;
    }
  }
}

/** `started from models/a: 61 of 65 tokens known; new: "&" "$"; no longer there: "["; dropout 0.2 instead of 0` */
function describeStart({ from, shared, added, dropped, changed }: InitialisedEvent): string {
  const list = (what: string, { count, tokens }: SomeTokens) => {
    const shown = tokens.slice(0, 10).map((token) => JSON.stringify(token));
    return count === 0 ? [] : [`${what}: ${shown.join(" ")}${count > 10 ? ` and ${count - 10} more` : ""}`];
  };
  return [
    `started from ${from}: it knows ${shared} of ${shared + added.count} tokens`,
    ...list("new", added),
    ...list("no longer there", dropped),
    ...Object.entries(changed).map(([name, { from, to }]) => `${name} ${to} instead of ${from}`),
  ].join("; ");
}

export function describeResume({
  step,
  epoch,
  path,
  finished,
  skipped,
  changed,
  numerics,
}: ResumeEvent): string {
  const lines = skipped.map((problem) => `skipped: ${problem}`);
  if (path === undefined) lines.push("nothing to resume: the training begins");
  else {
    lines.push(`resumed from ${path}: ${step} updates, ${epoch} whole epochs`);
    if (finished) lines.push("this training is finished; more epochs go on with it");
  }
  for (const change of changed) lines.push(`changed: ${change}`);
  if (numerics.length > 0) {
    lines.push(`results may not be, to the bit, those of an uninterrupted training: ${numerics.join("; ")}`);
  }
  return lines.join("\n");
}

import { PbfReader, PbfWriter } from "pbf";
import { type LogEvent, metricsOf } from "./event.ts";
import type { LogFormat } from "./format.ts";
import { frameRecord, recordsOf } from "./tfrecord.ts";

/**
 * TensorBoard's event files: TFRecords of `Event` messages (tensorflow/core/util/event.proto, framework/summary.proto).
 * What is used of them:
 *
 *     Event       { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5;
 *                   SessionLog session_log = 7; }
 *     Summary     { repeated Value value = 1; }
 *     Value       { string tag = 1; float simple_value = 2; TensorProto tensor = 8; SummaryMetadata metadata = 9; }
 *     SummaryMetadata { PluginData plugin_data = 1; }     PluginData { string plugin_name = 1; }
 *     TensorProto { DataType dtype = 1; TensorShapeProto tensor_shape = 2; repeated bytes string_val = 8; }
 *     SessionLog  { SessionStatus status = 1; }
 */
export const tensorboard: LogFormat = {
  // A TensorBoard that is watching goes on to the next file; it would not see that one was cut.
  fileName: (session) => `events.out.tfevents.${String(session).padStart(4, "0")}`,
  owns: (name) => /^events\.out\.tfevents\.\d{4}$/.test(name),
  head({ step }, session, time) {
    const version = encodeEvent(0, time, (event) => event.writeStringField(3, "brain.Event:2"));
    if (session === 1) return version;
    // And it drops what it has of later updates, since they come again.
    const restart = encodeEvent(step + 1, time, (event) => event.writeMessage(7, writeSessionLog, START));
    return concat([version, restart]);
  },
  encode(event, time) {
    const values = valuesOf(event);
    if (values.length === 0) return new Uint8Array(0);
    return encodeEvent(event.step, time, (writer) => writer.writeMessage(5, writeSummary, values));
  },
  lengthUpTo(step, bytes) {
    let length = 0;
    for (const { data, end } of recordsOf(bytes)) {
      const { step: at, restart } = readEvent(data);
      if (at - (restart ? 1 : 0) > step) break;
      length = end;
    }
    return length;
  },
};

/** SessionLog.SessionStatus.START */
const START = 1;
/** DataType.DT_STRING */
const DT_STRING = 7;

type Value = [tag: string, value: number | string];

/** What TensorBoard shows of an event: numbers as curves, text as text. */
function valuesOf(event: LogEvent): Value[] {
  switch (event.type) {
    case "start":
      return [["options", `\`\`\`json\n${JSON.stringify(event.options, null, 2)}\n\`\`\``]];
    case "step":
      return [
        ["loss/train", event.loss],
        ["learning_rate", event.learningRate],
        ["tokens_per_second", event.tokensPerSecond],
        ["norm/gradient", event.gradNorm],
        ["norm/parameter", event.parameterNorm],
        ...Object.entries(event.norms ?? {}).flatMap(([name, { gradient, parameter }]): Value[] => [
          [`gradient_norm/${name}`, gradient],
          [`parameter_norm/${name}`, parameter],
        ]),
      ];
    case "validation":
      return [
        ["loss/validation", event.loss],
        ...metricsOf(event).map(([name, value]): Value => [`${name}/validation`, value]),
      ];
    case "sample":
      // As Markdown is shown: indented by four, a text keeps its lines.
      return [["sample", event.text.replace(/^/gm, "    ")]];
    default:
      return [];
  }
}

function encodeEvent(step: number, time: Date, write: (event: PbfWriter) => void): Uint8Array {
  const event = new PbfWriter();
  event.writeDoubleField(1, time.getTime() / 1000);
  event.writeVarintField(2, step);
  write(event);
  return frameRecord(event.finish());
}

function writeSessionLog(status: number, writer: PbfWriter): void {
  writer.writeVarintField(1, status);
}

function writeSummary(values: readonly Value[], writer: PbfWriter): void {
  for (const value of values) writer.writeMessage(1, writeValue, value);
}

function writeValue([tag, value]: Value, writer: PbfWriter): void {
  writer.writeStringField(1, tag);
  if (typeof value === "number") {
    writer.writeFloatField(2, value);
    return;
  }
  writer.writeMessage(8, writeStringTensor, value);
  writer.writeMessage(9, writePlugin, "text");
}

function writeStringTensor(text: string, writer: PbfWriter): void {
  writer.writeVarintField(1, DT_STRING);
  writer.writeMessage(2, writeEmpty, undefined); // a scalar has no dimensions
  writer.writeStringField(8, text);
}

function writeEmpty(): void {}

function writePlugin(name: string, writer: PbfWriter): void {
  writer.writeMessage(1, (plugin, inner) => inner.writeStringField(1, plugin), name);
}

/** Which update an event is of, and whether it begins a session. */
function readEvent(data: Uint8Array): { step: number; restart: boolean } {
  const event = { step: 0, restart: false };
  return new PbfReader(data).readFields((tag, found, reader) => {
    if (tag === 2) found.step = reader.readVarint();
    if (tag === 7) found.restart = true;
  }, event);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

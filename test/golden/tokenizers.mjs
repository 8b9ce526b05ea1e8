/**
 * Writes tokenizers.json: what Hugging Face's tokenizers make of texts, by tokenizer.json files of every kind of part
 * that is read here. Not part of the tests, which read what it wrote. To run it again:
 *
 *     npm install --no-save tokenizers@0.23.2 && node test/golden/tokenizers.mjs
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer } from "tokenizers";

const corpus =
  `The quick brown fox jumps over the lazy dog. The dog isn't amused: it's the other dogs' fault, they'll say.
Two dogs and three foxes went to the other side of the river, where the water was low and the grass was high.
Der schnelle braune Fuchs springt über den faulen Hund, und der Hund schläft weiter am Ufer des großen Flusses.
The weather is better than the weather there, rather than whether the feather is further from the father.
naïve café déjà vu, 1234 5678 90 + 12.5 % of (some) [things] {here} e.g. this_one and that-one.
我今天去超市,买了一双鞋。他昨天读了三本书。
`.repeat(2);

const empty = { dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null };
const flags = { fuse_unk: false, byte_fallback: false, ignore_merges: false };
const file = (model, parts = {}) => ({
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  ...parts,
  model: { type: "BPE", ...empty, ...flags, vocab: {}, merges: [], ...model },
});
const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const lines = { type: "Split", pattern: { String: "\n" }, behavior: "Isolated", invert: false };
const sequence = (...pretokenizers) => ({ type: "Sequence", pretokenizers });
const normalizers = (...all) => ({ type: "Sequence", normalizers: all });

const folder = mkdtempSync(join(tmpdir(), "tokenizers-"));

/** What their trainer learns from the corpus: every merge there is. */
function train(parts) {
  const tokenizer = Tokenizer.fromString(JSON.stringify(file({}, parts)));
  writeFileSync(join(folder, "corpus.txt"), corpus);
  tokenizer.train([join(folder, "corpus.txt")]);
  tokenizer.save(join(folder, "trained.json"));
  const { vocab, merges } = JSON.parse(readFileSync(join(folder, "trained.json"), "utf8")).model;
  return { vocab, merges };
}

const ofBytes = train({ pre_tokenizer: sequence(lines, byteLevel) });
const ofCharacters = train({
  pre_tokenizer: sequence(lines, {
    type: "Metaspace",
    replacement: "▁",
    prepend_scheme: "always",
    split: true,
  }),
});

/** A vocabulary with more tokens in front, whose numbers are kept. */
function withTokens({ vocab, merges }, ...tokens) {
  const ordered = Object.entries(vocab).sort(([, a], [, b]) => a - b);
  return {
    merges,
    vocab: Object.fromEntries([...tokens, ...ordered.map(([token]) => token)].map((token, i) => [token, i])),
  };
}

const bytes = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
);
const unknown = { unk_token: "<unk>" };
const models = {
  bytes: ofBytes,
  characters: { ...withTokens(ofCharacters, "<unk>"), ...unknown },
  fallback: {
    ...withTokens(ofCharacters, "<unk>", ...bytes),
    ...unknown,
    byte_fallback: true,
    fuse_unk: true,
  },
  words: {
    ...unknown,
    end_of_word_suffix: "</w>",
    vocab: Object.fromEntries(
      [
        "<unk>",
        ..."abcdefghijklmnopqrstuvwxyz'.,1我".split(""),
        ..."adegnorsty'.,1我".split("").map((c) => `${c}</w>`),
        "th",
        "the</w>",
        "in",
        "ing</w>",
        "ng</w>",
        "an",
        "and</w>",
        "er</w>",
        "n't</w>",
        "'t</w>",
      ].map((token, i) => [token, i]),
    ),
    merges: [
      ["t", "h"],
      ["th", "e</w>"],
      ["i", "n"],
      ["n", "g</w>"],
      ["i", "ng</w>"],
      ["in", "g</w>"],
      ["a", "n"],
      ["an", "d</w>"],
      ["e", "r</w>"],
      ["'", "t</w>"],
      ["n", "'t</w>"],
    ],
  },
  prefixed: {
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    vocab: { "[UNK]": 0, a: 1, b: 2, "##a": 3, "##b": 4, ab: 5, "##ab": 6, aba: 7, "##ba": 8, abab: 9 },
    merges: [
      ["a", "##b"],
      ["##a", "##b"],
      ["ab", "##a"],
      ["##b", "##a"],
      ["ab", "##ab"],
    ],
  },
};
for (const name of Object.keys(models)) models[name] = file(models[name]).model;

const size = (name) => Object.keys(models[name].vocab).length;
const added = (content, id, options = {}) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
  ...options,
});
const plain = { ...byteLevel, use_regex: false };
const meta = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true };
const bpeDecoder = { type: "BPEDecoder", suffix: "</w>" };
const behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"];
const gpt4 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const clip = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/** Name → which model, and the other parts of its file. */
const files = {
  "as trained": ["bytes", { pre_tokenizer: sequence(lines, byteLevel), decoder: byteLevel }],
  "GPT-2": ["bytes", { pre_tokenizer: { ...byteLevel, add_prefix_space: true }, decoder: byteLevel }],
  "bytes uncut": ["bytes", { pre_tokenizer: plain, decoder: byteLevel }],
  "GPT-4": [
    "bytes",
    {
      ignore_merges: true,
      pre_tokenizer: sequence(
        { type: "Split", pattern: { Regex: gpt4 }, behavior: "Isolated", invert: false },
        plain,
      ),
      decoder: byteLevel,
    },
  ],
  digits: [
    "bytes",
    { pre_tokenizer: sequence({ type: "Digits", individual_digits: true }, byteLevel), decoder: byteLevel },
  ],
  "runs of digits": [
    "bytes",
    { pre_tokenizer: sequence({ type: "Digits", individual_digits: false }, plain), decoder: byteLevel },
  ],
  ...Object.fromEntries(
    behaviors.flatMap((behavior) => [
      [
        `punctuation ${behavior}`,
        ["bytes", { pre_tokenizer: sequence({ type: "Punctuation", behavior }, plain), decoder: byteLevel }],
      ],
      [
        `blanks ${behavior}`,
        [
          "bytes",
          {
            pre_tokenizer: sequence(
              { type: "Split", pattern: { Regex: "\\s+" }, behavior, invert: false },
              plain,
            ),
            decoder: byteLevel,
          },
        ],
      ],
      [
        `words ${behavior}`,
        [
          "bytes",
          {
            pre_tokenizer: sequence(
              { type: "Split", pattern: { Regex: "\\w+|[^\\w\\s]+" }, behavior, invert: true },
              plain,
            ),
            decoder: byteLevel,
          },
        ],
      ],
    ]),
  ),
  "added tokens": [
    "bytes",
    {
      normalizer: { type: "Lowercase" },
      pre_tokenizer: byteLevel,
      decoder: byteLevel,
      added_tokens: [
        added("<s>", size("bytes")),
        added("</s>", size("bytes") + 1, { lstrip: true, rstrip: true }),
        added("<MASK>", size("bytes") + 2, { lstrip: true }),
        added("Hello", size("bytes") + 3, { special: false, normalized: true }),
        added("fox", size("bytes") + 4, { special: false, normalized: true, single_word: true }),
        added("Hell", size("bytes") + 5, { special: false }),
      ],
    },
  ],
  metaspace: ["characters", { pre_tokenizer: meta, decoder: meta }],
  "metaspace first": [
    "characters",
    {
      pre_tokenizer: { ...meta, prepend_scheme: "first" },
      decoder: { ...meta, prepend_scheme: "first" },
      added_tokens: [added("<s>", size("characters"))],
    },
  ],
  "metaspace never, uncut": [
    "characters",
    {
      pre_tokenizer: { ...meta, prepend_scheme: "never", split: false },
      decoder: { ...meta, prepend_scheme: "never" },
    },
  ],
  Llama: [
    "fallback",
    {
      normalizer: normalizers(
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ),
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: "▁" }, content: " " },
          { type: "ByteFallback" },
          { type: "Fuse" },
          { type: "Strip", content: " ", start: 1, stop: 0 },
        ],
      },
      added_tokens: [added("<unk>", 0), added("<s>", size("fallback")), added("</s>", size("fallback") + 1)],
    },
  ],
  "NFD without accents": [
    "characters",
    {
      normalizer: normalizers(
        { type: "NFD" },
        { type: "StripAccents" },
        { type: "Strip", strip_left: true, strip_right: false },
      ),
      pre_tokenizer: meta,
    },
  ],
  NFKD: [
    "fallback",
    { normalizer: { type: "NFKD" }, pre_tokenizer: { type: "CharDelimiterSplit", delimiter: "a" } },
  ],
  CLIP: [
    "words",
    {
      normalizer: normalizers(
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Lowercase" },
      ),
      pre_tokenizer: { type: "Split", pattern: { Regex: clip }, behavior: "Removed", invert: true },
      decoder: bpeDecoder,
    },
  ],
  "NFKC, unknown ones fused": [
    "words",
    {
      fuse_unk: true,
      normalizer: normalizers(
        { type: "NFKC" },
        { type: "Lowercase" },
        { type: "Strip", strip_left: true, strip_right: true },
      ),
      pre_tokenizer: { type: "Whitespace" },
    },
  ],
  BERT: [
    "words",
    {
      normalizer: {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: "Whitespace" },
      decoder: bpeDecoder,
    },
  ],
  "BERT cased": [
    "words",
    {
      normalizer: {
        type: "BertNormalizer",
        clean_text: false,
        handle_chinese_chars: true,
        strip_accents: true,
        lowercase: false,
      },
      pre_tokenizer: { type: "WhitespaceSplit" },
      decoder: bpeDecoder,
    },
  ],
  prefixed: ["prefixed", { pre_tokenizer: { type: "Whitespace" } }],
};

const texts = [
  "",
  " ",
  "Hello world, the quick brown fox!",
  " the fox thefox, <MASK>  Hello</s> x <s>hello HELLO Hell",
  "naïve café — “quotes” … 123,456.78 ½ ² 1 12",
  "a\n\nb \n c\r\n\td",
  "  lots   of   spaces  ",
  "I'm you'll WE'RE it'S 'ſ isn't",
  "我今天去超市,买了一双鞋。👩‍👩‍👧 🌊🌊 \u200b\ufeffx\u0085y\u00a0z\u3000w",
  "ΑΣ ΌΣΟΣ İstanbul ǅ ß ﬁ Å A\u030a e\u0301",
  "ab aba abab abba ababab c",
  "\u0378 \u00ad\u0000\ufffd\u0007 x",
  "weather whether father further ".repeat(6).trim(),
  "a_b __init__ foo-bar e.g. U.S.A. $5.00 100% @user #tag ▁ ▁▁x",
  "ำน้ำ ক্ষ नमस्ते",
];

const cases = [];
for (const [
  name,
  [model, { ignore_merges = false, fuse_unk = models[model].fuse_unk, ...parts }],
] of Object.entries(files)) {
  const own = { ignore_merges, fuse_unk };
  const tokenizer = Tokenizer.fromString(
    JSON.stringify({ ...file({}, parts), model: { ...models[model], ...own } }),
  );
  const results = [];
  for (const text of texts) {
    const tokens = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
    results.push({ tokens, text: await tokenizer.decode(tokens, true) });
  }
  cases.push({ name, model, own, parts, results });
}
rmSync(folder, { recursive: true });
const source = "test/golden/tokenizers.mjs, tokenizers 0.23.2";
const out = JSON.stringify({ source, corpus, models, texts, cases });
writeFileSync(new URL("tokenizers.json", import.meta.url), `${out}\n`);

/**
 * The stem of an English word in lower case, by the rules of Porter's second stemmer, Snowball's "English".
 * https://snowballstem.org/algorithms/english/stemmer.html
 */
export function stem(word: string): string {
  const special = exceptions.get(word);
  if (special !== undefined) return special;
  if (word.length <= 2) return word;
  // A y that is a consonant is written Y meanwhile.
  let w = word
    .replace(/^'/, "")
    .replace(/^y/, "Y")
    .replace(/([aeiouy])y/g, "$1Y");
  const r1 = regionOne(w);
  const r2 = regionAfter(w, r1);
  const inR1 = (ending: string) => w.length - ending.length >= r1;
  const inR2 = (ending: string) => w.length - ending.length >= r2;
  const cut = (ending: string, replacement = "") => {
    w = w.slice(0, w.length - ending.length) + replacement;
  };

  // 0, 1a: possessives and plurals
  cut(longest(w, ["'s'", "'s", "'"]) ?? "");
  if (w.endsWith("sses")) cut("es");
  else if (/ie[ds]$/.test(w)) cut(w.slice(-3), w.length > 4 ? "i" : "ie");
  else if (/(?:[aeiouy].*[^aeiouy]|[aeiouy].+)s$/.test(w) && !/(?:us|ss)$/.test(w)) cut("s");
  if (invariant.has(w)) return w;

  // 1b: -eed, -ed, -ing
  const past = longest(w, ["eedly", "ingly", "edly", "eed", "ing", "ed"]);
  if (past?.startsWith("eed")) {
    if (inR1(past)) cut(past, "ee");
  } else if (past && /[aeiouy]/.test(w.slice(0, -past.length))) {
    cut(past);
    if (/(?:at|bl|iz)$/.test(w)) w += "e";
    else if (/(?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/.test(w)) cut(w.slice(-1));
    else if (w.length <= r1 && endsShort(w)) w += "e";
  }
  // 1c
  if (/.[^aeiouy][yY]$/.test(w)) cut("y", "i");

  // 2 to 4: suffixes
  const two = longest(w, Object.keys(step2));
  if (two && inR1(two)) {
    if (two === "ogi" ? w.endsWith("logi") : two === "li" ? /[cdeghkmnrt]li$/.test(w) : true)
      cut(two, step2[two]);
  }
  const three = longest(w, Object.keys(step3));
  if (three && inR1(three) && (three !== "ative" || inR2(three))) cut(three, step3[three]);
  const four = longest(w, step4);
  if (four && inR2(four) && (four !== "ion" || /[st]ion$/.test(w))) cut(four);

  // 5
  if (w.endsWith("e") && (inR2("e") || (inR1("e") && !endsShort(w.slice(0, -1))))) cut("e");
  else if (w.endsWith("ll") && inR2("l")) cut("l");
  return w.toLowerCase();
}

/** What follows the first consonant after a vowel. */
function regionAfter(w: string, from: number): number {
  const match = /[aeiouy][^aeiouy]/.exec(w.slice(from));
  return match ? from + match.index + 2 : w.length;
}

function regionOne(w: string): number {
  const prefix = /^(?:gener|commun|arsen)/.exec(w);
  return prefix ? prefix[0].length : regionAfter(w, 0);
}

/** Whether its last syllable is short: a vowel between consonants, the last of which is no w, x or Y. */
const endsShort = (w: string) => /(?:[^aeiouy][aeiouy][^aeiouywxY]|^[aeiouy][^aeiouy])$/.test(w);

const longest = (w: string, endings: readonly string[]) =>
  endings
    .filter((ending) => w.endsWith(ending))
    .reduce<string | undefined>(
      (best, ending) => (best === undefined || ending.length > best.length ? ending : best),
      undefined,
    );

const step2: Record<string, string> = {
  ...{ tional: "tion", enci: "ence", anci: "ance", abli: "able", entli: "ent", izer: "ize", ization: "ize" },
  ...{ ational: "ate", ation: "ate", ator: "ate", alism: "al", aliti: "al", alli: "al", fulness: "ful" },
  ...{ ousli: "ous", ousness: "ous", iveness: "ive", iviti: "ive", biliti: "ble", bli: "ble", ogi: "og" },
  ...{ fulli: "ful", lessli: "less", li: "" },
};

const step3: Record<string, string> = {
  ...{ tional: "tion", ational: "ate", alize: "al", icate: "ic", iciti: "ic", ical: "ic" },
  ...{ ful: "", ness: "", ative: "" },
};

const step4 = "al ance ence er ic able ible ant ement ment ent ism ate iti ous ive ize ion".split(" ");

const exceptions = new Map(
  "skis:ski skies:sky dying:die lying:lie tying:tie idly:idl gently:gentl ugly:ugli early:earli only:onli singly:singl sky:sky news:news howe:howe atlas:atlas cosmos:cosmos bias:bias andes:andes"
    .split(" ")
    .map((pair) => pair.split(":") as [string, string]),
);

const invariant = new Set("inning outing canning herring earring proceed exceed succeed".split(" "));

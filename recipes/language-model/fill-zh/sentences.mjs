/**
 * Everyday Chinese sentences, cut into words: who, when, where, did what with which thing. Synthetic: made of the lists below.
 *
 *     node sentences.mjs train 20000 > train.txt     # node sentences.mjs PART COUNT [SEED]
 *     node sentences.mjs test 1000 > test.txt
 *
 * A place and a thing that HELD_OUT names together are never so in "train", and always in "test".
 */
const people = "我 你 他 她 妈妈 爸爸".split(" ");
const groups = "我们 他们 同学们".split(" ");
const past = "今天 昨天 早上 上周".split(" ");
const future = "明天 后天 今晚 下周".split(" ");

/** Where one does what; what is named twice, twice as often. */
const places = {
  超市: "买 买 买 挑 试 退 找",
  商店: "买 买 买 挑 试 换 退",
  市场: "买 买 挑 找 修",
  家: "吃 喝 做 煮 切 洗 穿 换 看 读 写 听 唱 泡 收 修",
  饭馆: "吃 喝 点 做",
  学校: "学 上 听 写 读 借 唱 丢",
  图书馆: "借 借 看 读 找 丢",
  公司: "喝 泡 写 收 修 看 丢 开",
  公园: "拍 唱 听 喝 看 丢",
  车站: "买 看 丢 找 换",
  邮局: "寄 寄 收 买",
  医院: "看 送 找",
};

/** Things, each with its measure words, and what one does with them. */
const things = [
  ["鞋", "一双 两双", "买 挑 试 退 换 穿 洗 丢 修 找"],
  ["袜子", "一双 几双", "买 挑 穿 洗 丢 换"],
  ["衣服", "一件 几件", "买 挑 试 退 换 穿 洗 丢"],
  ["裤子", "一条 两条", "买 挑 试 退 换 穿 洗"],
  ["毛巾", "一条 几条", "买 挑 洗 丢"],
  ["苹果", "一个 一斤", "买 挑 吃 切 洗 送"],
  ["西瓜", "一个 半个", "买 挑 吃 切 送"],
  ["面", "一碗 两碗", "吃 做 点 煮"],
  ["汤", "一碗 一锅", "喝 做 点 煮"],
  ["茶", "一杯 一壶", "喝 泡 点"],
  ["咖啡", "一杯 两杯", "喝 点 泡 煮 买"],
  ["书", "一本 几本", "买 看 读 借 写 找 送 丢 寄"],
  ["杂志", "一本 两本", "买 看 读 借 找"],
  ["报纸", "一份 一张", "买 看 读 找"],
  ["电影", "一部 两部", "看 拍 找"],
  ["照片", "一张 几张", "看 拍 寄 找 送"],
  ["票", "一张 两张", "买 换 丢 找 退"],
  ["信", "一封 两封", "写 读 寄 收 找"],
  ["礼物", "一份 几份", "买 挑 送 收 寄 退"],
  ["伞", "一把 两把", "买 借 丢 修 找 挑"],
  ["歌", "一首 几首", "唱 听 写 学"],
  ["课", "一节 两节", "上 听 学"],
  ["车", "一辆 两辆", "买 开 洗 修 借 看"],
  ["手机", "一部 一个", "买 换 修 丢 试 找 退"],
].map(([name, measures, verbs]) => ({ name, measures: measures.split(" "), verbs: verbs.split(" ") }));

const HELD_OUT = new Set(
  "超市鞋 市场衣服 图书馆报纸 家汤 学校书 公园照片 车站票 公司咖啡 饭馆面 商店伞 邮局礼物 医院苹果".split(
    " ",
  ),
);

/** Every place, thing and what is done there with it. */
const deeds = Object.entries(places).flatMap(([where, done]) =>
  things.flatMap(({ name, measures, verbs }) =>
    done
      .split(" ")
      .filter((verb) => verbs.includes(verb))
      .map((verb) => ({ where, thing: name, measures, verb })),
  ),
);

/** What was done, and what is to be done. */
const told = [
  ({ who, when, where, verb, measure, thing }) => [who, when, "去", where, "，", verb, "了", measure, thing],
  ({ who, when, where, verb, measure, thing }) => [when, who, "在", where, verb, "了", measure, thing],
  ({ who, when, where, verb, measure, thing }) => [
    who,
    "到",
    where,
    "以后",
    "，",
    when,
    verb,
    "了",
    measure,
    thing,
  ],
];
const planned = [
  ({ who, when, where, verb, measure, thing }) => [who, when, "去", where, "，", "要", verb, measure, thing],
  ({ who, when, where, verb, measure, thing }) => [when, who, "在", where, "，", "想", verb, measure, thing],
];

const [part = "train", count = "20000", seed = part === "train" ? "1" : "2"] = process.argv.slice(2);

/** mulberry32 */
let state = Number(seed) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const one = (list) => list[Math.floor(random() * list.length)];

const chosen = deeds.filter(({ where, thing }) => HELD_OUT.has(where + thing) === (part !== "train"));
for (let made = 0; made < Number(count); made++) {
  const { measures, verb, ...deed } = one(chosen);
  const done = random() < 0.6;
  const many = random() < 0.3;
  const words = one(done ? told : planned)({
    ...deed,
    who: one(many ? groups : people),
    when: one(done ? past : future),
    verb: many ? `一起 ${verb}` : verb,
    measure: one(measures),
  });
  console.log(words.join(" "));
}

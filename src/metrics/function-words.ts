/** English words of grammar rather than content, and punctuation: METEOR counts them less. */
export const functionWords: ReadonlySet<string> = new Set(
  (
    "a an the this that these those some any no all both each every either neither such another other " +
    "i me my mine we us our ours you your yours he him his she her hers it its they them their theirs one " +
    "who whom whose which what where when why how there here " +
    "of in on at by for with from to into onto over under up down out off about after before between through " +
    "during against among around as than like near next while if because so but and or nor not n't 's too also " +
    "is are was were be been being am has have had do does did will would can could may might must shall should " +
    "'m 'd 'll 're 've then just very more most only its it's . , ; : ! ? ' \" - ( )"
  ).split(" "),
);

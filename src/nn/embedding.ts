import * as v from "valibot";
import { embedding } from "../ops/gather.ts";
import { checkOptions, recordOf, wholeNumber } from "../options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { normal, zeroParameter } from "./init.ts";
import { Module } from "./module.ts";

const size = wholeNumber(1, 1_000_000_000);

/** A vector for each token: int32 [...] → [..., embeddingDim]. Initial weights are standard normal, as in PyTorch. */
export class Embedding extends Module {
  /** [numEmbeddings, embeddingDim] */
  readonly weight: Tensor;
  readonly paddingIdx: number | undefined;

  /** `paddingIdx`: a token whose vector is zero at first and gets no gradient, so that it stays what it is. */
  constructor(numEmbeddings: number, embeddingDim: number, options: { paddingIdx?: number } = {}) {
    super();
    const schema = recordOf({
      numEmbeddings: size,
      embeddingDim: size,
      paddingIdx: v.optional(wholeNumber(0, numEmbeddings - 1)),
    });
    const { paddingIdx } = checkOptions("Embedding", schema, { numEmbeddings, embeddingDim, ...options });
    this.paddingIdx = paddingIdx;
    this.weight = normal(zeroParameter([numEmbeddings, embeddingDim]));
    if (paddingIdx !== undefined) {
      const values = this.weight.toArray();
      values.fill(0, paddingIdx * embeddingDim, (paddingIdx + 1) * embeddingDim);
      this.weight.set(values);
    }
  }

  forward(tokens: Tensor): Tensor {
    return embedding(
      tokens,
      this.weight,
      this.paddingIdx === undefined ? {} : { paddingIdx: this.paddingIdx },
    );
  }

  /** @internal */
  override int8Weights(): readonly string[] {
    return ["weight"];
  }

  protected override describe(): string {
    const padding = this.paddingIdx === undefined ? "" : `, paddingIdx=${this.paddingIdx}`;
    return this.weight.shape.join(", ") + padding;
  }
}

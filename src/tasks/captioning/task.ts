import { ready } from "../../engine/engine.ts";
import { ImageCaptioner as TrainedCaptioner } from "./model.ts";
import type { CaptioningOptions, CaptioningSource } from "./options.ts";
import { trainCaptioning } from "./train.ts";

/**
 * Descriptions of images: what sees is given features or a small convolutional network of one's own, what tells is a
 * recurrent network (Karpathy & Fei-Fei 2015, Vinyals et al. 2015), with attention (Xu et al. 2015) or without.
 *
 *     const captioner = await ImageCaptioner.train({ captions: "captions.json", images: "photos" }, { out: "models/photos" });
 *     console.log((await captioner.caption("dog.jpg", { beam: 5 })).text);
 */
export class ImageCaptioner extends TrainedCaptioner {
  /** Trains on images and their captions. The model has the weights that validated best. */
  static async train(source: CaptioningSource, options: CaptioningOptions = {}): Promise<ImageCaptioner> {
    await ready();
    return new ImageCaptioner(await trainCaptioning(source, options));
  }
}

/**
 * The batches of an epoch. `at` depends on its arguments alone, so that training can stop and go on anywhere, and two
 * numbers say where it is.
 */
export interface Batches<Batch> {
  /** Batches in an epoch. */
  readonly length: number;
  at(epoch: number, index: number): Batch;
}

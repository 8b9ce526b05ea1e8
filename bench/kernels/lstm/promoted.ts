// The kernel of assembly/lstm.ts on the operands of the ladder.
import { LstmForwardArgs, lstmForward } from "../../../assembly/lstm";

export function promoted(
  args: LstmForwardArgs, weightHh: usize, gates: usize, cells: usize, output: usize, h: usize, c: usize,
  T: i32, N: i32, H: i32, scratch: usize,
): void {
  args.gates = gates, args.output = output, args.cells = cells, args.hidden = 0, args.h = h, args.c = c;
  args.weightHh = weightHh, args.weightHr = 0, args.peephole = 0, args.lengths = 0;
  args.T = T, args.N = N, args.H = H, args.R = H, args.reverse = 0, args.scratch = scratch, args.chunk = N;
  lstmForward(args, 0, N);
}

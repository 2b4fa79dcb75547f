// RUN: attn-opt %s --attn-list-blocks --verify-diagnostics

!x = tensor<?x?x?x8xf32>

func.func @no_schedule(%q: !x) -> !x {
  // expected-error@below {{has no schedule; run attn-select-schedule first}}
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi ne, %i, %j : index
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// RUN: attn-opt %s --attn-infer-sparsity --attn-select-schedule --attn-list-blocks --split-input-file --remark-format=emitRemark --remarks-filter=attn 2>&1 >/dev/null | FileCheck %s
// RUN: attn-opt %s --attn-gpu-select-schedule --split-input-file --remark-format=emitRemark --remarks-filter=attn 2>&1 >/dev/null | FileCheck %s -check-prefix=GPU

// What passes report to whoever asks for remarks (passes/Report.h).

// CHECK: :[[#@LINE+11]]:8: remark: [Analysis] structure {{.*}}Exact=true, Full="last - 9 <= key < first + 1", Kind=ranges, Visited="first - 9 <= key < last + 1"
// CHECK: remark: [Analysis] candidate {{.*}}BlockK=32, BlockQ=32, Cycles={{[0-9.]+}}, Reason="costs more"
// CHECK: remark: [Analysis] schedule {{.*}}Most=0, Rule="the least estimate of cycles per pair", Schedule="block_q=
// CHECK: remark: [Analysis] list {{.*}}Decision="exact ranges"

// GPU: remark: [Analysis] candidate {{.*}}Beside=2, BlockK=64, BlockQ=64, MostRegisters=224, MostShared=50688, {{.*}}Registers={{[0-9]+}}, Shared={{[0-9]+}}
// GPU: remark: [Analysis] schedule {{.*}}Rule="the largest blocks that fit
// GPU: remark: [Analysis] device {{.*}}Products="f32 units", Warps=4
func.func @window(%q: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
  %width = arith.constant 10 : index
  // Positions stand in front of the facts above.
  %o = attn.attend %q, %q, %q mask (%b, %h, %i, %j) {
    %past = arith.cmpi sge, %i, %j : index
    %distance = arith.subi %i, %j : index
    %near = arith.cmpi slt, %distance, %width : index
    %keep = arith.andi %past, %near : i1
    attn.yield %keep : i1
  } : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}

// -----

// Ranges cannot say what is read; classes of blocks can.
// CHECK: remark: [Analysis] structure {{.*}}Kind="no ranges"
// CHECK: remark: [Analysis] obstacle {{.*}}Of=ranges, Op=tensor.extract
// CHECK-NOT: Of=classes
// CHECK: remark: [Analysis] list {{.*}}Decision=made
// CHECK: remark: [Analysis] bounds {{.*}}Dim=0, Table='ids', Width=
func.func @documents(%q: tensor<1x1x?x64xf32>, %ids: tensor<?xi32> {attn.name = "ids"}) -> tensor<1x1x?x64xf32> {
  %o = attn.attend %q, %q, %q mask (%b, %h, %i, %j) {
    %x = tensor.extract %ids[%i] : tensor<?xi32>
    %y = tensor.extract %ids[%j] : tensor<?xi32>
    %keep = arith.cmpi eq, %x, %y : i32
    attn.yield %keep : i1
  } : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}

// -----

// Neither can: the op is named, with what to write instead.
// CHECK: remark: [Analysis] structure {{.*}}Kind="no ranges"
// CHECK: :[[#@LINE+5]]:12: remark: [Analysis] obstacle {{.*}}Advice="read captured integers along one dimension{{.*}}", Of=classes, Op=tensor.extract
// CHECK: remark: [Analysis] list {{.*}}Decision="nothing known"
func.func @bits(%q: tensor<1x1x?x64xf32>, %bits: tensor<?x?xi32>) -> tensor<1x1x?x64xf32> {
  %zero = arith.constant 0 : i32
  %o = attn.attend %q, %q, %q mask (%b, %h, %i, %j) {
    %bit = tensor.extract %bits[%i, %j] : tensor<?x?xi32>
    %keep = arith.cmpi ne, %bit, %zero : i32
    attn.yield %keep : i1
  } : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}

// -----

// What needs no analysis.
// CHECK: remark: [Analysis] structure {{.*}}Kind="no mask"
// CHECK: remark: [Analysis] schedule {{.*}}Rule="the spec states it", Schedule="block_q=64,block_k=32"
func.func @all(%q: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
  %o = attn.attend %q, %q, %q schedule(<block_q = 64, block_k = 32>) : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}

// -----

// Recurrences have chunks. On this device none fits twice.
// CHECK: remark: [Analysis] schedule {{.*}}Rule="chunks of 32 tokens, and all columns of the state"
// GPU: remark: [Analysis] candidate {{.*}}Beside=2, {{.*}}Reason="shared memory"
func.func @recurrence(%q: tensor<1x1x?x256xf32>, %v: tensor<1x1x?x128xf32>) -> tensor<1x1x?x128xf32> {
  %o = attn.recur %q, %q, %v : tensor<1x1x?x256xf32>, tensor<1x1x?x256xf32>, tensor<1x1x?x128xf32> -> tensor<1x1x?x128xf32>
  return %o : tensor<1x1x?x128xf32>
}

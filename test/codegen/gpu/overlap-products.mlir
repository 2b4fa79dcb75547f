// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-overlap-products))" | FileCheck %s
// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-overlap-products,attn-gpu-pipeline-copies,attn-gpu-allocate-shared,attn-gpu-insert-barriers))" | FileCheck %s --check-prefix=PLACED

!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!h = tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>
!v = tensor<64xf32, #tile.slice<along = 1, of = <rows = 32, columns = 4, vector = 1, paired = true>>>

// The loop ends an iteration earlier. It has the scores, the maximum and the
// weights of the next iteration, and the sums of its own, whose rows are
// multiplied with what the loop carries as a vector.
// CHECK-LABEL: gpu.func @attention
// CHECK-NOT: tile.overlap
// CHECK-SAME: (%[[K:.*]]: memref<?x64xbf16>, %[[V:.*]]: memref<?x64xbf16>, %[[B:[^:]*]]: index, %[[END:[^:]*]]: index, %[[Q:[^:]*]]: tensor
// CHECK: %[[ANY:.*]] = arith.cmpi slt, %[[B]], %[[END]]
// CHECK: %[[COUNT:.*]] = arith.select %[[ANY]], %{{.*}}, %{{.*}} : index
// CHECK: %[[RESULTS:.*]]:2 = scf.for {{.*}} to %[[COUNT]] {{.*}} iter_args(%[[M:.*]] = %{{.*}}, %[[A:.*]] = %{{.*}})
// CHECK-NEXT: %[[LAST:.*]] = arith.subi %[[END]], %[[STEP:.*]] : index
// CHECK: arith.remui
// CHECK-NEXT: %[[L:.*]] = arith.subi
// CHECK-NEXT: %[[K0:.*]] = tile.load %[[K]][%[[B]], %c0]
// CHECK-NEXT: %[[S0:.*]] = tile.dot %[[Q]], %[[K0]], %{{.*}} transpose_rhs
// CHECK-NEXT: %[[M0:.*]] = tile.reduce max %[[S0]], %[[M]]
// CHECK-NEXT: %[[E0:.*]] = arith.subf %[[M]], %[[M0]]
// CHECK-NEXT: %[[W0:.*]] = arith.truncf %[[S0]]
// CHECK-NEXT: %[[R:.*]]:4 = scf.for %[[J:.*]] = %[[B]] to %[[LAST]] step %[[STEP]] iter_args(%[[MJ:.*]] = %[[M0]], %[[AJ:.*]] = %[[A]], %[[EJ:.*]] = %[[E0]], %[[WJ:.*]] = %[[W0]])
// CHECK-NEXT: %[[NEXT:.*]] = arith.addi %[[J]], %[[STEP]]
// CHECK-NEXT: %[[K1:.*]] = tile.load %[[K]][%[[NEXT]], %c0]
// CHECK-NEXT: %[[S1:.*]] = tile.dot %[[Q]], %[[K1]], %{{.*}} transpose_rhs
// CHECK-NEXT: %[[ROWS:.*]] = tile.broadcast %[[EJ]]
// CHECK-NEXT: %[[SCALED:.*]] = arith.mulf %[[AJ]], %[[ROWS]]
// CHECK-NEXT: %[[VJ:.*]] = tile.load %[[V]][%[[J]], %c0]
// CHECK-NEXT: %[[AN:.*]] = tile.dot %[[WJ]], %[[VJ]], %[[SCALED]] :
// CHECK-NEXT: %[[M1:.*]] = tile.reduce max %[[S1]], %[[MJ]]
// CHECK-NEXT: %[[E1:.*]] = arith.subf %[[MJ]], %[[M1]]
// CHECK-NEXT: %[[W1:.*]] = arith.truncf %[[S1]]
// CHECK-NEXT: scf.yield %[[M1]], %[[AN]], %[[E1]], %[[W1]]
// CHECK: tile.broadcast %[[R]]#2
// CHECK: %[[VN:.*]] = tile.load %[[V]][%[[L]], %c0]
// CHECK-NEXT: %[[ALL:.*]] = tile.dot %[[R]]#3, %[[VN]], %{{.*}} :
// CHECK-NEXT: scf.yield %[[R]]#0, %[[ALL]]
// CHECK: {tile.once}
// CHECK: tile.store %[[RESULTS]]#1
// CHECK-NOT: scf.for
// CHECK: gpu.return

// The first keys and the last values begin in front of all. Copies of the loop
// begin early as before: the next keys when all have read these, those of the
// first iteration behind the scores in front of it, values with the iteration.
// PLACED-LABEL: gpu.func @attention
// PLACED-SAME: tile.shared_bytes = 32768
// PLACED: tile.load {{.*}} async {tile.shared_offset = 0 : i64}
// PLACED: tile.load {{.*}} async {tile.shared_offset = 8192 : i64}
// PLACED: tile.await
// PLACED-NEXT: tile.barrier block
// PLACED-NEXT: tile.dot
// PLACED-NOT: tile.barrier
// PLACED: tile.load {{.*}} when(%{{.*}}) async {tile.shared_offset = 16384 : i64}
// PLACED: tile.reduce
// PLACED: scf.for
// PLACED-NEXT: tile.await
// PLACED-NEXT: tile.barrier block
// PLACED-NEXT: tile.load {{.*}} async {tile.shared_offset = 24576 : i64}
// PLACED-NOT: tile.barrier
// PLACED: tile.dot {{.*}} transpose_rhs
// PLACED-NEXT: tile.await
// PLACED-NEXT: tile.barrier block
// PLACED: tile.load {{.*}} when(%{{.*}}) async {tile.shared_offset = 16384 : i64}
// PLACED-NOT: tile.barrier
// PLACED: scf.yield
// PLACED: tile.await
// PLACED-NEXT: tile.barrier block
// PLACED-NEXT: tile.dot
// PLACED: gpu.return
gpu.module @kernels {
  gpu.func @attention(%k: memref<?x64xbf16>, %v: memref<?x64xbf16>, %begin: index, %end: index, %q: !h, %z: !p, %m: !v, %out: memref<?x64xf32>) kernel attributes {tile.overlap} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o:2 = scf.for %j = %begin to %end step %c64 iter_args(%b = %m, %a = %z) -> (!v, !p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %z transpose_rhs : !h, !s -> !p
      %n = tile.reduce max %s, %b : !p -> !v
      %e = arith.subf %b, %n : !v
      %w = arith.truncf %s : !p to !h
      %r = tile.broadcast %e along 1 : !v -> !p
      %d = arith.mulf %a, %r : !p
      %vt = tile.load %v[%j, %c0] : memref<?x64xbf16> -> !s
      %t = tile.dot %w, %vt, %d : !h, !s -> !p
      scf.yield %n, %t : !v, !p
    }
    tile.store %o#1, %out[%c0, %c0] : !p, memref<?x64xf32>
    gpu.return
  }

  // Without the attribute, nothing changes.
  // CHECK-LABEL: gpu.func @in_turn
  // CHECK-COUNT-1: tile.dot {{.*}} transpose_rhs
  // CHECK-NOT: transpose_rhs
  // CHECK: gpu.return
  gpu.func @in_turn(%k: memref<?x64xbf16>, %end: index, %q: !h, %z: !p) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %z transpose_rhs : !h, !s -> !p
      %w = arith.truncf %s : !p to !h
      %t = tile.dot %w, %kt, %a : !h, !s -> !p
      scf.yield %t : !p
    }
    gpu.return
  }

  // A loop without a product that depends on another one stays. Products that
  // add up are one.
  // CHECK-LABEL: gpu.func @one_product
  // CHECK: scf.for
  // CHECK-NOT: scf.for
  // CHECK: gpu.return
  gpu.func @one_product(%k: memref<?x64xbf16>, %end: index, %q: !h, %z: !p) kernel attributes {tile.overlap} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %a transpose_rhs : !h, !s -> !p
      %t = tile.dot %q, %kt, %s transpose_rhs : !h, !s -> !p
      scf.yield %t : !p
    }
    gpu.return
  }

  // A tile that both products read is loaded for each.
  // CHECK-LABEL: gpu.func @keys_are_values
  // CHECK: scf.for
  // CHECK: scf.for %[[J:.*]] = %c0 to
  // CHECK-NEXT: %[[NEXT:.*]] = arith.addi %[[J]]
  // CHECK-NEXT: %[[K:.*]] = tile.load %{{.*}}[%[[NEXT]], %c0]
  // CHECK-NEXT: tile.dot %{{.*}}, %[[K]]
  // CHECK-NEXT: %[[V:.*]] = tile.load %{{.*}}[%[[J]], %c0]
  // CHECK-NEXT: tile.dot %{{.*}}, %[[V]]
  // CHECK-NEXT: arith.truncf
  // CHECK-NEXT: scf.yield
  gpu.func @keys_are_values(%k: memref<?x64xbf16>, %out: memref<?x64xf32>, %end: index, %q: !h, %z: !p) kernel attributes {tile.overlap} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %z transpose_rhs : !h, !s -> !p
      %w = arith.truncf %s : !p to !h
      %t = tile.dot %w, %kt, %a : !h, !s -> !p
      scf.yield %t : !p
    }
    tile.store %o, %out[%c0, %c0] : !p, memref<?x64xf32>
    gpu.return
  }

  // A loop may carry on what it carried: sums of two iterations ago, which are
  // as late as those of the last one, and maxima. Sums of two iterations ago
  // are added to those of this one.
  // CHECK-LABEL: gpu.func @sums_before
  // CHECK: scf.for
  // CHECK: scf.for %[[J:.*]] = %c0 to %{{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %[[Z:.*]], %[[W:.*]] = %{{.*}})
  // CHECK: %[[S:.*]] = tile.dot {{.*}} transpose_rhs
  // CHECK: %[[X:.*]] = arith.addf %[[A]], %[[B]]
  // CHECK: %[[T:.*]] = tile.dot %[[W]], %{{.*}}, %[[X]]
  // CHECK-NEXT: %[[N:.*]] = arith.truncf %[[S]]
  // CHECK-NEXT: scf.yield %[[T]], %[[A]], %[[N]]
  // CHECK: arith.addf
  // CHECK: gpu.return
  gpu.func @sums_before(%k: memref<?x64xbf16>, %out: memref<?x64xf32>, %end: index, %q: !h, %z: !p) kernel attributes {tile.overlap} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o:2 = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z, %b = %z) -> (!p, !p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %z transpose_rhs : !h, !s -> !p
      %w = arith.truncf %s : !p to !h
      %x = arith.addf %a, %b : !p
      %t = tile.dot %w, %kt, %x : !h, !s -> !p
      scf.yield %t, %a : !p, !p
    }
    tile.store %o#0, %out[%c0, %c0] : !p, memref<?x64xf32>
    tile.store %o#1, %out[%c64, %c0] : !p, memref<?x64xf32>
    gpu.return
  }

  // Arguments that only change places are what the loop starts from.
  // CHECK-LABEL: gpu.func @places
  // CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}, %[[C:.*]] = %{{[^)]*}})
  // CHECK: tile.dot {{.*}}, %[[B]] transpose_rhs
  // CHECK: scf.for {{.*}} iter_args(%[[SUM:.*]] = %[[A]], %[[NB:.*]] = %[[C]], %[[NC:.*]] = %[[B]], %{{.*}} = %{{[^)]*}})
  // CHECK: tile.dot {{.*}}, %[[NB]] transpose_rhs
  // CHECK: scf.yield %{{.*}}, %[[NC]], %[[NB]], %{{.*}} :
  // CHECK: gpu.return
  gpu.func @places(%k: memref<?x64xbf16>, %out: memref<?x64xf32>, %end: index, %q: !h, %z: !p, %y: !p) kernel attributes {tile.overlap} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o:3 = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z, %b = %z, %c = %y) -> (!p, !p, !p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %b transpose_rhs : !h, !s -> !p
      %w = arith.truncf %s : !p to !h
      %t = tile.dot %w, %kt, %a : !h, !s -> !p
      scf.yield %t, %c, %b : !p, !p, !p
    }
    tile.store %o#0, %out[%c0, %c0] : !p, memref<?x64xf32>
    gpu.return
  }
}

// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-pipeline-copies))" --split-input-file | FileCheck %s
// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-pipeline-copies,attn-gpu-allocate-shared,attn-gpu-insert-barriers))" --split-input-file | FileCheck %s --check-prefix=PLACED

!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!h = tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>

// Keys are carried; values begin with the iteration; the next keys begin when
// these have been read and the values have arrived, if there is a next iteration.
// CHECK-LABEL: gpu.func @attention
// CHECK: %[[ANY:.*]] = arith.cmpi slt, %[[B:.*]], %[[END:.*]] : index
// CHECK: %[[K0:.*]] = tile.load %{{.*}}[%[[B]], %c0] when(%[[ANY]]) async
// CHECK: %{{.*}}:2 = scf.for %[[J:.*]] = %[[B]] to %[[END]] step %[[STEP:.*]] iter_args(%{{.*}} = %{{.*}}, %[[K:.*]] = %[[K0]])
// CHECK-NEXT: %[[HERE:.*]] = tile.await %[[K]]
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: %[[V:.*]] = tile.load %{{.*}}[%[[J]], %c0] async
// CHECK-NEXT: tile.dot %{{.*}}, %[[HERE]], %{{.*}} transpose_rhs
// CHECK-NEXT: %[[VALUES:.*]] = tile.await %[[V]]
// CHECK-NEXT: tile.barrier block
// CHECK-NEXT: %[[LATER:.*]] = arith.addi %[[J]], %[[STEP]]
// CHECK-NEXT: %[[MORE:.*]] = arith.cmpi slt, %[[LATER]], %[[END]] : index
// CHECK-NEXT: %[[NEXT:.*]] = tile.load %{{.*}}[%[[LATER]], %c0] when(%[[MORE]]) async
// CHECK: arith.truncf
// CHECK: tile.dot %{{.*}}, %[[VALUES]], %{{.*}} :
// CHECK: scf.yield %{{.*}}, %[[NEXT]]
// CHECK-NOT: tile.await
// CHECK: gpu.return

// One place for keys, one for values, and no barrier but those.
// PLACED-LABEL: gpu.func @attention
// PLACED-SAME: tile.shared_bytes = 16384
// PLACED: tile.load {{.*}} async {tile.shared_offset = 0 : i64}
// PLACED: scf.for
// PLACED-NEXT: tile.await
// PLACED-NEXT: tile.barrier block
// PLACED-NEXT: tile.load {{.*}} async {tile.shared_offset = 8192 : i64}
// PLACED-NEXT: tile.dot
// PLACED-NEXT: tile.await
// PLACED-NEXT: tile.barrier block
// PLACED-NEXT: arith.addi
// PLACED-NEXT: arith.cmpi
// PLACED-NEXT: tile.load {{.*}} async {tile.shared_offset = 0 : i64}
// PLACED-NOT: tile.barrier
// PLACED: gpu.return
gpu.module @kernels {
  gpu.func @attention(%k: memref<?x64xbf16>, %v: memref<?x64xbf16>, %begin: index, %end: index, %q: !h, %z: !p) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o = scf.for %j = %begin to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %z transpose_rhs : !h, !s -> !p
      %w = arith.truncf %s : !p to !h
      %vt = tile.load %v[%j, %c0] : memref<?x64xbf16> -> !s
      %n = tile.dot %w, %vt, %a : !h, !s -> !p
      scf.yield %n : !p
    }
    gpu.return
  }
}

// -----

!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!h = tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>

// Rings of three: the tiles of two iterations are on their way when one is
// waited for, which has one barrier. What begins goes to where the tiles of the
// iteration before were.
// CHECK-LABEL: gpu.func @rings
// CHECK: %[[ANY:.*]] = arith.cmpi slt, %[[B:.*]], %[[END:.*]] : index
// CHECK: %[[K0:.*]] = tile.load %{{.*}}[%[[B]], %c0] stage(%{{.*}}) when(%[[ANY]]) async
// CHECK: %[[V0:.*]] = tile.load %{{.*}}[%[[B]], %c0] stage(%{{.*}}) when(%{{.*}}) async
// CHECK: %[[SECOND:.*]] = arith.addi %[[B]],
// CHECK: %[[TWO:.*]] = arith.cmpi slt, %[[SECOND]], %[[END]] : index
// CHECK: %[[K1:.*]] = tile.load {{.*}} into(%[[K0]] : {{.*}}) when(%[[TWO]]) async
// CHECK: %[[V1:.*]] = tile.load {{.*}} into(%[[V0]] : {{.*}}) when(%{{.*}}) async
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[K:.*]] = %[[K1]], %[[V:.*]] = %[[V1]], %[[HERE:.*]] = %{{.*}})
// CHECK-NEXT: %[[KEYS:.*]] = tile.await %[[K]] stage(%[[HERE]]) pending 3
// CHECK-NEXT: %[[VALUES:.*]] = tile.await %[[V]] stage(%[[HERE]]) pending 2
// CHECK-NEXT: tile.barrier block
// CHECK: %[[BEFORE:.*]] = arith.select
// CHECK: %[[MORE:.*]] = arith.cmpi slt, %{{.*}}, %[[END]] : index
// CHECK: %[[NK:.*]] = tile.load {{.*}} stage(%[[BEFORE]]) into(%[[K]] : {{.*}}) when(%[[MORE]]) async
// CHECK: %[[NV:.*]] = tile.load {{.*}} stage(%[[BEFORE]]) into(%[[V]] : {{.*}}) when(%{{.*}}) async
// CHECK: tile.dot %{{.*}}, %[[KEYS]], %{{.*}} transpose_rhs
// CHECK-NOT: tile.barrier
// CHECK: tile.dot %{{.*}}, %[[VALUES]]
// CHECK: scf.yield %{{.*}}, %[[NK]], %[[NV]], %{{.*}}
// CHECK-NOT: tile.await
// CHECK: gpu.return

// PLACED-LABEL: gpu.func @rings
// PLACED-SAME: tile.shared_bytes = 49152
// PLACED: tile.load {{.*}} async {tile.shared_offset = 0 : i64}
// PLACED: tile.load {{.*}} async {tile.shared_offset = 24576 : i64}
// PLACED: scf.for
// PLACED: tile.barrier block
// PLACED-NOT: tile.barrier
// PLACED: gpu.return
gpu.module @kernels {
  gpu.func @rings(%k: memref<?x64xbf16>, %v: memref<?x64xbf16>, %begin: index, %end: index, %q: !h, %z: !p) kernel attributes {tile.stages = 3 : i64} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o = scf.for %j = %begin to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %z transpose_rhs : !h, !s -> !p
      %w = arith.truncf %s : !p to !h
      %vt = tile.load %v[%j, %c0] : memref<?x64xbf16> -> !s
      %n = tile.dot %w, %vt, %a : !h, !s -> !p
      scf.yield %n : !p
    }
    gpu.return
  }
}


// -----

!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!h = tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>

// A tile that is keys and values at once is free only behind both products: a
// barrier of its own stands there. A position that is read from a list is read for
// the next iteration as well; not so where the loop writes.
// CHECK-LABEL: gpu.func @both
// CHECK: tile.await
// CHECK: tile.dot
// CHECK: tile.dot
// CHECK-NEXT: arith.addi
// CHECK-NEXT: arith.cmpi
// CHECK-NEXT: tile.load {{.*}} async
// CHECK-LABEL: gpu.func @listed
// CHECK: %[[N0:.*]] = tile.gather %[[LIST:.*]][%c0 : index]
// CHECK: tile.load %{{.*}}[%[[N0]], %c0] when(%{{.*}}) async
// CHECK: scf.for
// CHECK: tile.dot
// CHECK: %[[N1:.*]] = tile.gather %[[LIST]]
// CHECK: tile.load %{{.*}}[%[[N1]], %c0] when(%{{.*}}) async
// CHECK-LABEL: gpu.func @list_is_written
// CHECK-NOT: async
// PLACED-LABEL: gpu.func @both
// PLACED: tile.dot
// PLACED: tile.dot
// PLACED-NEXT: arith.addi
// PLACED-NEXT: arith.cmpi
// PLACED-NEXT: tile.barrier block
// PLACED-NEXT: tile.load {{.*}} async
gpu.module @kernels {
  gpu.func @both(%k: memref<?x64xbf16>, %end: index, %q: !h, %z: !p) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %o = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %z transpose_rhs : !h, !s -> !p
      %w = arith.truncf %s : !p to !h
      %n = tile.dot %w, %kt, %a : !h, !s -> !p
      scf.yield %n : !p
    }
    gpu.return
  }
  gpu.func @listed(%k: memref<?x64xbf16>, %list: memref<?xindex>, %end: index, %q: !h, %z: !p) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %o = scf.for %n = %c0 to %end step %c1 iter_args(%a = %z) -> (!p) {
      %j = tile.gather %list[%n : index] : memref<?xindex> -> index
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %a transpose_rhs : !h, !s -> !p
      scf.yield %s : !p
    }
    gpu.return
  }
  gpu.func @list_is_written(%k: memref<?x64xbf16>, %list: memref<?xindex>, %end: index, %q: !h, %z: !p) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %o = scf.for %n = %c0 to %end step %c1 iter_args(%a = %z) -> (!p) {
      %j = tile.gather %list[%n : index] : memref<?xindex> -> index
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %s = tile.dot %q, %kt, %a transpose_rhs : !h, !s -> !p
      tile.write %n, %list[%c0] : memref<?xindex>
      scf.yield %s : !p
    }
    gpu.return
  }
}

// -----

!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!h = tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>

// The chunks of a recurrence: tiles that are read back to registers, and rows that
// are stored. In rings, the next chunk is copied meanwhile; without, nothing
// changes.
// CHECK-LABEL: gpu.func @chunks
// CHECK: %[[K0:.*]] = tile.load %{{.*}} stage(%{{.*}}) when(%{{.*}}) async
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[K:.*]] = %[[K0]], %[[HERE:.*]] = %{{.*}})
// CHECK-NEXT: %[[KEYS:.*]] = tile.await %[[K]] stage(%[[HERE]])
// CHECK-NEXT: tile.barrier block
// CHECK: tile.load {{.*}} into(%[[K]] : {{.*}}) when(%{{.*}}) async
// CHECK: tile.convert_layout %[[KEYS]]
// CHECK: tile.dot {{.*}}, %[[KEYS]]
// CHECK: tile.store
// CHECK-LABEL: gpu.func @chunks_without_rings
// CHECK-NOT: async
// What the loop stores to may not be copied ahead, nor may be what it reads a
// position from.
// CHECK-LABEL: gpu.func @rows_come_back
// CHECK-NOT: async
// CHECK-LABEL: gpu.func @list_is_stored
// CHECK-NOT: async

// PLACED-LABEL: gpu.func @chunks
// PLACED-SAME: tile.shared_bytes = 16384
// PLACED: scf.for
// PLACED: tile.barrier block
// PLACED-NOT: tile.barrier
// PLACED: gpu.return
gpu.module @kernels {
  gpu.func @chunks(%k: memref<?x64xbf16>, %o: memref<?x64xbf16>, %end: index, %z: !p) kernel attributes {tile.stages = 2 : i64} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %s = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %r = tile.convert_layout %kt : !s -> !h
      %n = tile.dot %r, %kt, %a : !h, !s -> !p
      %x = arith.truncf %n : !p to !h
      tile.store %x, %o[%j, %c0] : !h, memref<?x64xbf16>
      scf.yield %n : !p
    }
    gpu.return
  }
  gpu.func @chunks_without_rings(%k: memref<?x64xbf16>, %o: memref<?x64xbf16>, %end: index, %z: !p) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %s = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %k[%j, %c0] : memref<?x64xbf16> -> !s
      %r = tile.convert_layout %kt : !s -> !h
      %n = tile.dot %r, %kt, %a : !h, !s -> !p
      %x = arith.truncf %n : !p to !h
      tile.store %x, %o[%j, %c0] : !h, memref<?x64xbf16>
      scf.yield %n : !p
    }
    gpu.return
  }
  gpu.func @rows_come_back(%o: memref<?x64xbf16>, %count: index, %end: index, %z: !p) kernel attributes {tile.stages = 2 : i64} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %part = memref.subview %o[0, 0] [%count, 64] [1, 1] : memref<?x64xbf16> to memref<?x64xbf16, strided<[64, 1]>>
    %s = scf.for %j = %c0 to %end step %c64 iter_args(%a = %z) -> (!p) {
      %kt = tile.load %part[%j, %c0] : memref<?x64xbf16, strided<[64, 1]>> -> !s
      %r = tile.convert_layout %kt : !s -> !h
      %n = tile.dot %r, %kt, %a : !h, !s -> !p
      %x = arith.truncf %n : !p to !h
      tile.store %x, %o[%j, %c0] : !h, memref<?x64xbf16>
      scf.yield %n : !p
    }
    gpu.return
  }
  gpu.func @list_is_stored(%k: memref<?x64xbf16>, %list: memref<?xindex>, %v: tensor<64xindex, #tile.slice<along = 1, of = <rows = 32, columns = 4, vector = 2, paired = true>>>, %end: index, %z: !p) kernel attributes {tile.stages = 2 : i64} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %s = scf.for %j = %c0 to %end step %c1 iter_args(%a = %z) -> (!p) {
      %n = tile.gather %list[%j : index] : memref<?xindex> -> index
      %kt = tile.load %k[%n, %c0] : memref<?x64xbf16> -> !s
      %r = tile.convert_layout %kt : !s -> !h
      %d = tile.dot %r, %kt, %a : !h, !s -> !p
      tile.store %v, %list[%j] : tensor<64xindex, #tile.slice<along = 1, of = <rows = 32, columns = 4, vector = 2, paired = true>>>, memref<?xindex>
      scf.yield %d : !p
    }
    gpu.return
  }
}

// -----

!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!h = tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>

// What products of an inner loop read stays where it is, and so does what none reads.
// CHECK-LABEL: gpu.func @inner_products
// CHECK-NOT: async
// CHECK: gpu.func @unused
// CHECK-NOT: async
// CHECK: gpu.return
// PLACED-LABEL: gpu.func @inner_products
gpu.module @kernels {
  gpu.func @inner_products(%x: memref<?x64xbf16>, %n: index, %q: !h, %z: !p) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %s = scf.for %i = %c0 to %n step %c64 iter_args(%a = %z) -> (!p) {
      %k = tile.load %x[%i, %c0] : memref<?x64xbf16> -> !s
      %t = scf.for %j = %c0 to %n step %c1 iter_args(%b = %a) -> (!p) {
        %d = tile.dot %q, %k, %b transpose_rhs : !h, !s -> !p
        scf.yield %d : !p
      }
      scf.yield %t : !p
    }
    gpu.return
  }
  gpu.func @unused(%x: memref<?x64xbf16>, %n: index) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    scf.for %i = %c0 to %n step %c1 {
      %k = tile.load %x[%i, %c0] : memref<?x64xbf16> -> !s
    } {tile.once}
    gpu.return
  }
}

// -----

// Operands of tf32 are copied ahead, those of f32 units are not.
// CHECK-LABEL: gpu.func @tf32
// CHECK: tile.load {{.*}} async : memref<?x64xf32> -> tensor<64x64xf32, #tile.shared<row = 72, swizzle = false>>
// CHECK: scf.for
// CHECK-NEXT: tile.await
// CHECK-LABEL: gpu.func @f32
// CHECK-NOT: async
!p = tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!s = tensor<64x64xf32, #tile.shared<row = 72, swizzle = false>>
gpu.module @kernels {
  gpu.func @tf32(%x: memref<?x64xf32>, %q: !p, %z: !p, %a: index, %b: index, %c: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %r = scf.for %j = %a to %b step %c iter_args(%s = %z) -> (!p) {
      %k = tile.load %x[%j, %c0] : memref<?x64xf32> -> !s
      %t = tile.dot %q, %k, %s transpose_rhs precision(tf32) : !p, !s -> !p
      scf.yield %t : !p
    }
    tile.store %r, %x[%c0, %c0] : !p, memref<?x64xf32>
    gpu.return
  }
  gpu.func @f32(%x: memref<?x64xf32>, %q: !p, %z: !p, %a: index, %b: index, %c: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %r = scf.for %j = %a to %b step %c iter_args(%s = %z) -> (!p) {
      %k = tile.load %x[%j, %c0] : memref<?x64xf32> -> !s
      %t = tile.dot %q, %k, %s transpose_rhs : !p, !s -> !p
      scf.yield %t : !p
    }
    tile.store %r, %x[%c0, %c0] : !p, memref<?x64xf32>
    gpu.return
  }
}

// Sectors, bank conflicts and barriers are counted exactly.
// DEFINE: %{run} = attn-simulate %s --lower --counters

// A warp reads 32 neighbours in 4 sectors; every second one in 8; every eighth one
// in 32; one number for all in 1.
// RUN: %{run} --kernel=strided --block=64 --arg=i64=1 "--arg=x:f32[1024]=iota,const" "--arg=y:f32[64]=none" | FileCheck %s --check-prefix=S1
// S1: 'llvm.load' at {{.*}}:[[#@LINE+13]]:10: requests 2 sectors 8 ideal 8{{$}}
// S1-NEXT: 'llvm.store' {{.*}}: requests 2 sectors 8 ideal 8{{$}}
// S1-NEXT: blocks 1 ops {{[0-9]+}} accesses 128 matrix ops 0
// RUN: %{run} --kernel=strided --block=64 --arg=i64=2 "--arg=x:f32[1024]=iota,const" "--arg=y:f32[64]=none" | FileCheck %s --check-prefix=S2
// S2: 'llvm.load' {{.*}}: requests 2 sectors 16 ideal 8{{$}}
// RUN: %{run} --kernel=strided --block=64 --arg=i64=8 "--arg=x:f32[1024]=iota,const" "--arg=y:f32[64]=none" | FileCheck %s --check-prefix=S8
// S8: 'llvm.load' {{.*}}: requests 2 sectors 64 ideal 8{{$}}
// RUN: %{run} --kernel=strided --block=64 --arg=i64=0 "--arg=x:f32[1024]=iota,const" "--arg=y:f32[64]=none" | FileCheck %s --check-prefix=S0
// S0: 'llvm.load' {{.*}}: requests 2 sectors 2 ideal 2{{$}}
gpu.module @m {
  gpu.func @strided(%stride: index, %x: memref<1024xf32, 1>, %y: memref<64xf32, 1>) kernel {
    %t = gpu.thread_id x
    %i = arith.muli %t, %stride : index
    %v = memref.load %x[%i] : memref<1024xf32, 1>
    memref.store %v, %y[%t] : memref<64xf32, 1>
    gpu.return
  }

  // 16 bytes per lane, from an offset that is no multiple of a sector.
  // RUN: %{run} --kernel=vectors --block=32 --arg=i64=0 "--arg=x:f32[136]=iota,const" "--arg=y:f32[136]=none" | FileCheck %s --check-prefix=V0
  // V0: 'llvm.load' {{.*}}: requests 1 sectors 16 ideal 16{{$}}
  // RUN: %{run} --kernel=vectors --block=32 --arg=i64=4 "--arg=x:f32[136]=iota,const" "--arg=y:f32[136]=none" | FileCheck %s --check-prefix=V4
  // V4: 'llvm.load' {{.*}}: requests 1 sectors 17 ideal 16 unaligned 1{{$}}
  gpu.func @vectors(%first: index, %x: memref<136xf32, 1>, %y: memref<136xf32, 1>) kernel {
    %c4 = arith.constant 4 : index
    %t = gpu.thread_id x
    %0 = arith.muli %t, %c4 : index
    %i = arith.addi %0, %first : index
    %v = vector.load %x[%i] {alignment = 16} : memref<136xf32, 1>, vector<4xf32>
    vector.store %v, %y[%i] {alignment = 16} : memref<136xf32, 1>, vector<4xf32>
    gpu.return
  }

  // Columns of a tile with rows of 32 words are in one bank: 31 conflicts; a word
  // more per row, and there are none.
  // RUN: %{run} --kernel=column32 --block=32 "--arg=y:f32[32]=none" | FileCheck %s --check-prefix=C32
  // C32: 'llvm.store' at {{.*}}:[[#@LINE+9]]:5: requests 1 wavefronts 32 conflicts 31{{$}}
  // C32-NEXT: 'nvvm.barrier0' at {{.*}}: barriers 1{{$}}
  // C32-NEXT: 'llvm.load' at {{.*}}:[[#@LINE+9]]:10: requests 1 wavefronts 1{{$}}
  // RUN: %{run} --kernel=column33 --block=32 "--arg=y:f32[32]=none" | FileCheck %s --check-prefix=C33
  // C33: 'llvm.store' {{.*}}: requests 1 wavefronts 1{{$}}
  gpu.func @column32(%y: memref<32xf32, 1>) workgroup(%tile: memref<32x32xf32, 3>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %t = gpu.thread_id x
    memref.store %zero, %tile[%t, %c0] : memref<32x32xf32, 3>
    gpu.barrier
    %v = memref.load %tile[%c0, %c0] : memref<32x32xf32, 3>
    memref.store %v, %y[%t] : memref<32xf32, 1>
    gpu.return
  }
  gpu.func @column33(%y: memref<32xf32, 1>) workgroup(%tile: memref<32x33xf32, 3>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    %t = gpu.thread_id x
    memref.store %zero, %tile[%t, %c0] : memref<32x33xf32, 3>
    gpu.barrier
    %v = memref.load %tile[%c0, %c0] : memref<32x33xf32, 3>
    memref.store %v, %y[%t] : memref<32xf32, 1>
    gpu.return
  }

  // 16 bytes per lane are served a quarter of a warp at a time: four passes
  // without a conflict for neighbours; rows of 128 bytes put all lanes of a quarter
  // into four banks, 8 passes each.
  // RUN: %{run} --kernel=wide --block=32 --arg=i64=4 | FileCheck %s --check-prefix=W4
  // W4: 'llvm.store' {{.*}}: requests 1 wavefronts 4{{$}}
  // RUN: %{run} --kernel=wide --block=32 --arg=i64=32 | FileCheck %s --check-prefix=W32
  // W32: 'llvm.store' {{.*}}: requests 1 wavefronts 32 conflicts 28{{$}}
  gpu.func @wide(%stride: index) workgroup(%tile: memref<1024xf32, 3>) kernel {
    %zero = arith.constant dense<0.0> : vector<4xf32>
    %t = gpu.thread_id x
    %i = arith.muli %t, %stride : index
    vector.store %zero, %tile[%i] {alignment = 16} : memref<1024xf32, 3>, vector<4xf32>
    gpu.return
  }
  // 8 bytes per lane: two halves. With steps of 16 bytes each half needs 2 passes.
  // RUN: %{run} --kernel=pairs --block=32 --arg=i64=2 | FileCheck %s --check-prefix=P2
  // P2: 'llvm.store' {{.*}}: requests 1 wavefronts 2{{$}}
  // RUN: %{run} --kernel=pairs --block=32 --arg=i64=4 | FileCheck %s --check-prefix=P4
  // P4: 'llvm.store' {{.*}}: requests 1 wavefronts 4 conflicts 2{{$}}
  gpu.func @pairs(%stride: index) workgroup(%tile: memref<1024xf32, 3>) kernel {
    %zero = arith.constant dense<0.0> : vector<2xf32>
    %t = gpu.thread_id x
    %i = arith.muli %t, %stride : index
    vector.store %zero, %tile[%i] {alignment = 8} : memref<1024xf32, 3>, vector<2xf32>
    gpu.return
  }
  // An access that is aligned like its elements is one access for each of them.
  // RUN: %{run} --kernel=unaligned --block=32 | FileCheck %s --check-prefix=UNALIGNED
  // UNALIGNED: 'llvm.store' {{.*}}: requests 2 wavefronts 4 conflicts 2{{$}}
  gpu.func @unaligned() workgroup(%tile: memref<1024xf32, 3>) kernel {
    %c2 = arith.constant 2 : index
    %zero = arith.constant dense<0.0> : vector<2xf32>
    %t = gpu.thread_id x
    %i = arith.muli %t, %c2 : index
    vector.store %zero, %tile[%i] {alignment = 4} : memref<1024xf32, 3>, vector<2xf32>
    gpu.return
  }

  // A loop longer than the log of a warp: 3000 requests of each warp. Lanes of a
  // branch are a request of their own.
  // RUN: %{run} --kernel=long --block=64 "--arg=y:f32[96]=zero" | FileCheck %s --check-prefix=LONG
  // RUN: %{run} --kernel=long --block=64 "--arg=y:f32[96]=zero" --order=random | FileCheck %s --check-prefix=LONG
  // LONG: 'llvm.load' {{.*}}: requests 6000 sectors 24000 ideal 24000{{$}}
  // LONG-NEXT: 'llvm.store' {{.*}}: requests 6000 sectors 24000 ideal 24000{{$}}
  // LONG-NEXT: 'llvm.store' {{.*}}: requests 1 sectors 1 ideal 1{{$}}
  gpu.func @long(%y: memref<96xf32, 1>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c5 = arith.constant 5 : index
    %n = arith.constant 3000 : index
    %c64 = arith.constant 64 : index
    %one = arith.constant 1.0 : f32
    %t = gpu.thread_id x
    scf.for %k = %c0 to %n step %c1 {
      %v = memref.load %y[%t] : memref<96xf32, 1>
      %w = arith.addf %v, %one : f32
      memref.store %w, %y[%t] : memref<96xf32, 1>
    }
    %isLow = arith.cmpi ult, %t, %c5 : index
    scf.if %isLow {
      %i = arith.addi %t, %c64 : index
      memref.store %one, %y[%i] : memref<96xf32, 1>
    }
    gpu.return
  }
}

// RUN: attn-opt %s --split-input-file --attn-simulate-device --verify-diagnostics

gpu.module @m {
  llvm.func @negative_inline_assembly() attributes {nvvm.kernel} {
    // expected-error@+1 {{'llvm.inline_asm' op cannot be simulated: inline assembly has no meaning that could be executed here}}
    llvm.inline_asm has_side_effects "bar.sync 0;", "" : () -> ()
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @negative_unknown_event() attributes {nvvm.kernel} {
    // expected-error@+1 {{'nvvm.cluster.arrive' op cannot be simulated: the simulator does not know this op}}
    nvvm.cluster.arrive
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @negative_unknown_register() attributes {nvvm.kernel} {
    // expected-error@+1 {{'nvvm.read.ptx.sreg.clock' op cannot be simulated: the simulator has no register 'clock'}}
    %c = nvvm.read.ptx.sreg.clock : i32
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @negative_unknown_intrinsic(%x: f32) attributes {nvvm.kernel} {
    // expected-error@+1 {{'llvm.call_intrinsic' op cannot be simulated: the simulator does not know the intrinsic 'llvm.nvvm.sin.approx.f'}}
    %y = llvm.call_intrinsic "llvm.nvvm.sin.approx.f"(%x) : (f32) -> f32
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @__nv_expf(f32) -> f32
  llvm.func @negative_library_call(%x: f32) attributes {nvvm.kernel} {
    // expected-error@+1 {{'llvm.call' op cannot be simulated: '__nv_expf' has no body in this module}}
    %y = llvm.call @__nv_expf(%x) : (f32) -> f32
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @negative_indirect_call(%f: !llvm.ptr) attributes {nvvm.kernel} {
    // expected-error@+1 {{'llvm.call' op cannot be simulated: expected a call of a function by name}}
    llvm.call %f() : !llvm.ptr, () -> ()
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @negative_wide_access(%x: !llvm.ptr<1>) attributes {nvvm.kernel} {
    // expected-error@+1 {{'llvm.load' op cannot be simulated: expected an access of at most 16 bytes, got 32}}
    %v = llvm.load %x : !llvm.ptr<1> -> vector<8xf32>
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @negative_other_dialect(%x: i32) attributes {nvvm.kernel} {
    // expected-error@+1 {{'arith.addi' op cannot be simulated: expected ops of the dialects 'llvm' and 'nvvm'}}
    %y = arith.addi %x, %x : i32
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @negative_memory_intrinsic(%x: !llvm.ptr<1>, %n: i64) attributes {nvvm.kernel} {
    // expected-error@+1 {{'llvm.intr.memcpy' op cannot be simulated: the simulator does not know this op}}
    "llvm.intr.memcpy"(%x, %x, %n) <{isVolatile = false}> : (!llvm.ptr<1>, !llvm.ptr<1>, i64) -> ()
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @negative_reduction_type(%x: f32, %m: i32) attributes {nvvm.kernel} {
    // expected-error@+1 {{'nvvm.redux.sync' op cannot be simulated: expected a value of type 'i32', got 'f32'}}
    %y = nvvm.redux.sync fmin %x, %m : f32 -> f32
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @negative_product(%a: f64, %c: f64) attributes {nvvm.kernel} {
    // expected-error@+1 {{'nvvm.mma.sync' op cannot be simulated: expected m16n8k8 or m16n8k16 of f16, bf16 or tf32 with sums in f32}}
    %d = nvvm.mma.sync A[%a] B[%a] C[%c, %c] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 8, n = 8, k = 4>} : (f64, f64, f64) -> !llvm.struct<(f64, f64)>
    llvm.return
  }
}

// -----

gpu.module @m {
  // expected-error@+1 {{'gpu.func' op cannot be simulated: expected functions and globals of the dialect 'llvm' in a 'gpu.module'}}
  gpu.func @negative_function() kernel {
    gpu.return
  }
}

// -----

gpu.module @a {
  llvm.func @same() attributes {nvvm.kernel} {
    llvm.return
  }
}
gpu.module @b {
  // expected-error@+1 {{'llvm.func' op has a name that is taken outside of its 'gpu.module'}}
  llvm.func @same() attributes {nvvm.kernel} {
    llvm.return
  }
}

// -----

gpu.module @a {
  llvm.mlir.global internal @same() {addr_space = 3 : i32} : i32
}
gpu.module @b {
  // expected-error@+1 {{'llvm.mlir.global' op has a name that is taken in another 'gpu.module'}}
  llvm.mlir.global internal @same() {addr_space = 3 : i32} : i32
}

// -----

gpu.module @m {
  llvm.func @negative_vector_division(%x: vector<2xi32>) attributes {nvvm.kernel} {
    // expected-error@+1 {{'llvm.udiv' op cannot be simulated: expected a divisor that is a constant or a scalar}}
    %y = llvm.udiv %x, %x : vector<2xi32>
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @negative_large_array() attributes {nvvm.kernel} {
    %n = llvm.mlir.constant(16385 : i32) : i32
    // expected-error@+1 {{'llvm.alloca' op cannot be simulated: expected at most 65536 bytes of local arrays in a function, got 65540}}
    %a = llvm.alloca %n x f32 : (i32) -> !llvm.ptr
    llvm.return
  }
}

// -----

gpu.module @m {
  llvm.func @negative_array_of_any_size(%n: i32) attributes {nvvm.kernel} {
    // expected-error@+1 {{'llvm.alloca' op cannot be simulated: expected a constant size}}
    %a = llvm.alloca %n x f32 : (i32) -> !llvm.ptr
    llvm.return
  }
}

// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-narrow-positions,canonicalize))" > %t.mlir
// RUN: FileCheck %s < %t.mlir
// DEFINE: %{run} = attn-simulate %t.mlir --lower --kernel=executed --grid=1 --arg=y:i32[6]=zero --print=y
// DEFINE: %{window} = attn-simulate %t.mlir --lower --kernel=window --grid=1 --arg=y:i32[1]=zero --print=y
// DEFINE: %{turned} = attn-simulate %t.mlir --lower --kernel=turned --grid=1 --arg=y:i32[1]=zero --print=y
// DEFINE: %{clamps} = attn-simulate %t.mlir --lower --kernel=clamps --grid=1 --arg=y:i64[8]=zero --print=y
// DEFINE: %{conversions} = attn-simulate %t.mlir --lower --kernel=conversions --grid=1 --arg=y:f32[8]=zero --print=y

// One distance of 32 bits for all compares of the two positions.
// CHECK-LABEL: gpu.func @few
// CHECK-NOT: : i32
// CHECK-LABEL: gpu.func @many
// CHECK-SAME: %[[I:.*]]: index, %[[J:.*]]: index,
// CHECK-DAG: %[[LIMIT:.*]] = arith.constant 1073741824 : i32
// CHECK: %[[D:.*]] = arith.subi %[[I]], %[[J]] : index
// CHECK: %[[UPPER:.*]] = arith.shrsi %[[D]], %{{.*}} : index
// CHECK: %[[LOW:.*]] = arith.index_cast %[[D]] : index to i32
// CHECK: %[[HIGH:.*]] = arith.index_cast %[[UPPER]] : index to i32
// CHECK: %[[SIGN:.*]] = arith.shrsi %[[LOW]], %{{.*}} : i32
// CHECK: %[[FITS:.*]] = arith.cmpi eq, %[[HIGH]], %[[SIGN]] : i32
// CHECK: %[[S:.*]] = arith.shrsi %[[HIGH]], %{{.*}} : i32
// CHECK: %[[FAR:.*]] = arith.xori %[[S]], %[[LIMIT]] : i32
// CHECK: %[[N:.*]] = arith.select %[[FITS]], %[[LOW]], %[[FAR]] : i32
// CHECK-COUNT-8: arith.cmpi sge, %[[N]], %{{.*}} : i32
// CHECK-NOT: arith.cmpi {{.*}} : index
gpu.module @kernels {
  gpu.func @few(%i: index, %j: index, %y: memref<8xi1>) kernel {
    %cm3 = arith.constant -3 : index
    %cm2 = arith.constant -2 : index
    %cm1 = arith.constant -1 : index
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %c6 = arith.constant 6 : index
    %c7 = arith.constant 7 : index
    %i0 = arith.addi %i, %cm3 : index
    %k0 = arith.cmpi sge, %i0, %j : index
    memref.store %k0, %y[%c0] : memref<8xi1>
    %i1 = arith.addi %i, %cm2 : index
    %k1 = arith.cmpi sge, %i1, %j : index
    memref.store %k1, %y[%c1] : memref<8xi1>
    %i2 = arith.addi %i, %cm1 : index
    %k2 = arith.cmpi sge, %i2, %j : index
    memref.store %k2, %y[%c2] : memref<8xi1>
    %i3 = arith.addi %i, %c0 : index
    %k3 = arith.cmpi sge, %i3, %j : index
    memref.store %k3, %y[%c3] : memref<8xi1>
    %i4 = arith.addi %i, %c1 : index
    %k4 = arith.cmpi sge, %i4, %j : index
    memref.store %k4, %y[%c4] : memref<8xi1>
    %i5 = arith.addi %i, %c2 : index
    %k5 = arith.cmpi sge, %i5, %j : index
    memref.store %k5, %y[%c5] : memref<8xi1>
    %i6 = arith.addi %i, %c3 : index
    %k6 = arith.cmpi sge, %i6, %j : index
    memref.store %k6, %y[%c6] : memref<8xi1>
    gpu.return
  }
  gpu.func @many(%i: index, %j: index, %y: memref<8xi1>) kernel {
    %cm3 = arith.constant -3 : index
    %cm2 = arith.constant -2 : index
    %cm1 = arith.constant -1 : index
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %c6 = arith.constant 6 : index
    %c7 = arith.constant 7 : index
    %i0 = arith.addi %i, %cm3 : index
    %k0 = arith.cmpi sge, %i0, %j : index
    memref.store %k0, %y[%c0] : memref<8xi1>
    %i1 = arith.addi %i, %cm2 : index
    %k1 = arith.cmpi sge, %i1, %j : index
    memref.store %k1, %y[%c1] : memref<8xi1>
    %i2 = arith.addi %i, %cm1 : index
    %k2 = arith.cmpi sge, %i2, %j : index
    memref.store %k2, %y[%c2] : memref<8xi1>
    %i3 = arith.addi %i, %c0 : index
    %k3 = arith.cmpi sge, %i3, %j : index
    memref.store %k3, %y[%c3] : memref<8xi1>
    %i4 = arith.addi %i, %c1 : index
    %k4 = arith.cmpi sge, %i4, %j : index
    memref.store %k4, %y[%c4] : memref<8xi1>
    %i5 = arith.addi %i, %c2 : index
    %k5 = arith.cmpi sge, %i5, %j : index
    memref.store %k5, %y[%c5] : memref<8xi1>
    %i6 = arith.addi %i, %c3 : index
    %k6 = arith.cmpi sge, %i6, %j : index
    memref.store %k6, %y[%c6] : memref<8xi1>
    %i7 = arith.addi %i, %c4 : index
    %k7 = arith.cmpi sge, %i7, %j : index
    memref.store %k7, %y[%c7] : memref<8xi1>
    gpu.return
  }

  // Numbers of 64 bits from memory may be anything; a compare without a sign is
  // another one.
  // CHECK-LABEL: gpu.func @stay
  // CHECK-NOT: : i32
  // CHECK-COUNT-8: arith.cmpi slt, {{.*}} : index
  // CHECK-COUNT-8: arith.cmpi ult, {{.*}} : index
  gpu.func @stay(%i: index, %j: index, %most: memref<i64>, %y: memref<8xi1>) kernel {
    %cm3 = arith.constant -3 : index
    %cm2 = arith.constant -2 : index
    %cm1 = arith.constant -1 : index
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %c6 = arith.constant 6 : index
    %c7 = arith.constant 7 : index
    %w = memref.load %most[] : memref<i64>
    %limit = arith.index_cast %w : i64 to index
    %ai0 = arith.addi %i, %cm3 : index
    %ak0 = arith.cmpi slt, %ai0, %limit : index
    memref.store %ak0, %y[%c0] : memref<8xi1>
    %ai1 = arith.addi %i, %cm2 : index
    %ak1 = arith.cmpi slt, %ai1, %limit : index
    memref.store %ak1, %y[%c1] : memref<8xi1>
    %ai2 = arith.addi %i, %cm1 : index
    %ak2 = arith.cmpi slt, %ai2, %limit : index
    memref.store %ak2, %y[%c2] : memref<8xi1>
    %ai3 = arith.addi %i, %c0 : index
    %ak3 = arith.cmpi slt, %ai3, %limit : index
    memref.store %ak3, %y[%c3] : memref<8xi1>
    %ai4 = arith.addi %i, %c1 : index
    %ak4 = arith.cmpi slt, %ai4, %limit : index
    memref.store %ak4, %y[%c4] : memref<8xi1>
    %ai5 = arith.addi %i, %c2 : index
    %ak5 = arith.cmpi slt, %ai5, %limit : index
    memref.store %ak5, %y[%c5] : memref<8xi1>
    %ai6 = arith.addi %i, %c3 : index
    %ak6 = arith.cmpi slt, %ai6, %limit : index
    memref.store %ak6, %y[%c6] : memref<8xi1>
    %ai7 = arith.addi %i, %c4 : index
    %ak7 = arith.cmpi slt, %ai7, %limit : index
    memref.store %ak7, %y[%c7] : memref<8xi1>
    %bi0 = arith.addi %i, %cm3 : index
    %bk0 = arith.cmpi ult, %bi0, %j : index
    memref.store %bk0, %y[%c0] : memref<8xi1>
    %bi1 = arith.addi %i, %cm2 : index
    %bk1 = arith.cmpi ult, %bi1, %j : index
    memref.store %bk1, %y[%c1] : memref<8xi1>
    %bi2 = arith.addi %i, %cm1 : index
    %bk2 = arith.cmpi ult, %bi2, %j : index
    memref.store %bk2, %y[%c2] : memref<8xi1>
    %bi3 = arith.addi %i, %c0 : index
    %bk3 = arith.cmpi ult, %bi3, %j : index
    memref.store %bk3, %y[%c3] : memref<8xi1>
    %bi4 = arith.addi %i, %c1 : index
    %bk4 = arith.cmpi ult, %bi4, %j : index
    memref.store %bk4, %y[%c4] : memref<8xi1>
    %bi5 = arith.addi %i, %c2 : index
    %bk5 = arith.cmpi ult, %bi5, %j : index
    memref.store %bk5, %y[%c5] : memref<8xi1>
    %bi6 = arith.addi %i, %c3 : index
    %bk6 = arith.cmpi ult, %bi6, %j : index
    memref.store %bk6, %y[%c6] : memref<8xi1>
    %bi7 = arith.addi %i, %c4 : index
    %bk7 = arith.cmpi ult, %bi7, %j : index
    memref.store %bk7, %y[%c7] : memref<8xi1>
    gpu.return
  }

  // How many of i - 3 to i + 4 are below j, at most j, ..., other than j.
  // CHECK-LABEL: gpu.func @executed
  // CHECK-NOT: arith.cmpi {{.*}}, {{.*}} : index
  // RUN: %{run} --arg=i64=5 --arg=i64=5 | FileCheck %s --check-prefix=SAME
  // SAME: y: 3 4 4 5 1 7{{$}}
  // RUN: %{run} --arg=i64=7 --arg=i64=4 | FileCheck %s --check-prefix=NEAR
  // NEAR: y: 0 1 7 8 1 7{{$}}
  // RUN: %{run} --arg=i64=0 --arg=i64=1099511627776 | FileCheck %s --check-prefix=BELOW
  // BELOW: y: 8 8 0 0 0 8{{$}}
  // RUN: %{run} --arg=i64=2147483648 --arg=i64=0 | FileCheck %s --check-prefix=ABOVE
  // ABOVE: y: 0 0 8 8 0 8{{$}}
  // RUN: %{run} --arg=i64=4294967296 --arg=i64=0 | FileCheck %s --check-prefix=ABOVE
  gpu.func @executed(%y: memref<6xi32>, %i: index, %j: index) kernel {
    %none = arith.constant 0 : i32
    %cm3 = arith.constant -3 : index
    %cm2 = arith.constant -2 : index
    %cm1 = arith.constant -1 : index
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %c6 = arith.constant 6 : index
    %c7 = arith.constant 7 : index
    %slti0 = arith.addi %i, %cm3 : index
    %sltk0 = arith.cmpi slt, %slti0, %j : index
    %sltn0 = arith.extui %sltk0 : i1 to i32
    %slts0 = arith.addi %none, %sltn0 : i32
    %slti1 = arith.addi %i, %cm2 : index
    %sltk1 = arith.cmpi slt, %slti1, %j : index
    %sltn1 = arith.extui %sltk1 : i1 to i32
    %slts1 = arith.addi %slts0, %sltn1 : i32
    %slti2 = arith.addi %i, %cm1 : index
    %sltk2 = arith.cmpi slt, %slti2, %j : index
    %sltn2 = arith.extui %sltk2 : i1 to i32
    %slts2 = arith.addi %slts1, %sltn2 : i32
    %slti3 = arith.addi %i, %c0 : index
    %sltk3 = arith.cmpi slt, %slti3, %j : index
    %sltn3 = arith.extui %sltk3 : i1 to i32
    %slts3 = arith.addi %slts2, %sltn3 : i32
    %slti4 = arith.addi %i, %c1 : index
    %sltk4 = arith.cmpi slt, %slti4, %j : index
    %sltn4 = arith.extui %sltk4 : i1 to i32
    %slts4 = arith.addi %slts3, %sltn4 : i32
    %slti5 = arith.addi %i, %c2 : index
    %sltk5 = arith.cmpi slt, %slti5, %j : index
    %sltn5 = arith.extui %sltk5 : i1 to i32
    %slts5 = arith.addi %slts4, %sltn5 : i32
    %slti6 = arith.addi %i, %c3 : index
    %sltk6 = arith.cmpi slt, %slti6, %j : index
    %sltn6 = arith.extui %sltk6 : i1 to i32
    %slts6 = arith.addi %slts5, %sltn6 : i32
    %slti7 = arith.addi %i, %c4 : index
    %sltk7 = arith.cmpi slt, %slti7, %j : index
    %sltn7 = arith.extui %sltk7 : i1 to i32
    %slts7 = arith.addi %slts6, %sltn7 : i32
    memref.store %slts7, %y[%c0] : memref<6xi32>
    %slei0 = arith.addi %i, %cm3 : index
    %slek0 = arith.cmpi sle, %slei0, %j : index
    %slen0 = arith.extui %slek0 : i1 to i32
    %sles0 = arith.addi %none, %slen0 : i32
    %slei1 = arith.addi %i, %cm2 : index
    %slek1 = arith.cmpi sle, %slei1, %j : index
    %slen1 = arith.extui %slek1 : i1 to i32
    %sles1 = arith.addi %sles0, %slen1 : i32
    %slei2 = arith.addi %i, %cm1 : index
    %slek2 = arith.cmpi sle, %slei2, %j : index
    %slen2 = arith.extui %slek2 : i1 to i32
    %sles2 = arith.addi %sles1, %slen2 : i32
    %slei3 = arith.addi %i, %c0 : index
    %slek3 = arith.cmpi sle, %slei3, %j : index
    %slen3 = arith.extui %slek3 : i1 to i32
    %sles3 = arith.addi %sles2, %slen3 : i32
    %slei4 = arith.addi %i, %c1 : index
    %slek4 = arith.cmpi sle, %slei4, %j : index
    %slen4 = arith.extui %slek4 : i1 to i32
    %sles4 = arith.addi %sles3, %slen4 : i32
    %slei5 = arith.addi %i, %c2 : index
    %slek5 = arith.cmpi sle, %slei5, %j : index
    %slen5 = arith.extui %slek5 : i1 to i32
    %sles5 = arith.addi %sles4, %slen5 : i32
    %slei6 = arith.addi %i, %c3 : index
    %slek6 = arith.cmpi sle, %slei6, %j : index
    %slen6 = arith.extui %slek6 : i1 to i32
    %sles6 = arith.addi %sles5, %slen6 : i32
    %slei7 = arith.addi %i, %c4 : index
    %slek7 = arith.cmpi sle, %slei7, %j : index
    %slen7 = arith.extui %slek7 : i1 to i32
    %sles7 = arith.addi %sles6, %slen7 : i32
    memref.store %sles7, %y[%c1] : memref<6xi32>
    %sgti0 = arith.addi %i, %cm3 : index
    %sgtk0 = arith.cmpi sgt, %sgti0, %j : index
    %sgtn0 = arith.extui %sgtk0 : i1 to i32
    %sgts0 = arith.addi %none, %sgtn0 : i32
    %sgti1 = arith.addi %i, %cm2 : index
    %sgtk1 = arith.cmpi sgt, %sgti1, %j : index
    %sgtn1 = arith.extui %sgtk1 : i1 to i32
    %sgts1 = arith.addi %sgts0, %sgtn1 : i32
    %sgti2 = arith.addi %i, %cm1 : index
    %sgtk2 = arith.cmpi sgt, %sgti2, %j : index
    %sgtn2 = arith.extui %sgtk2 : i1 to i32
    %sgts2 = arith.addi %sgts1, %sgtn2 : i32
    %sgti3 = arith.addi %i, %c0 : index
    %sgtk3 = arith.cmpi sgt, %sgti3, %j : index
    %sgtn3 = arith.extui %sgtk3 : i1 to i32
    %sgts3 = arith.addi %sgts2, %sgtn3 : i32
    %sgti4 = arith.addi %i, %c1 : index
    %sgtk4 = arith.cmpi sgt, %sgti4, %j : index
    %sgtn4 = arith.extui %sgtk4 : i1 to i32
    %sgts4 = arith.addi %sgts3, %sgtn4 : i32
    %sgti5 = arith.addi %i, %c2 : index
    %sgtk5 = arith.cmpi sgt, %sgti5, %j : index
    %sgtn5 = arith.extui %sgtk5 : i1 to i32
    %sgts5 = arith.addi %sgts4, %sgtn5 : i32
    %sgti6 = arith.addi %i, %c3 : index
    %sgtk6 = arith.cmpi sgt, %sgti6, %j : index
    %sgtn6 = arith.extui %sgtk6 : i1 to i32
    %sgts6 = arith.addi %sgts5, %sgtn6 : i32
    %sgti7 = arith.addi %i, %c4 : index
    %sgtk7 = arith.cmpi sgt, %sgti7, %j : index
    %sgtn7 = arith.extui %sgtk7 : i1 to i32
    %sgts7 = arith.addi %sgts6, %sgtn7 : i32
    memref.store %sgts7, %y[%c2] : memref<6xi32>
    %sgei0 = arith.addi %i, %cm3 : index
    %sgek0 = arith.cmpi sge, %sgei0, %j : index
    %sgen0 = arith.extui %sgek0 : i1 to i32
    %sges0 = arith.addi %none, %sgen0 : i32
    %sgei1 = arith.addi %i, %cm2 : index
    %sgek1 = arith.cmpi sge, %sgei1, %j : index
    %sgen1 = arith.extui %sgek1 : i1 to i32
    %sges1 = arith.addi %sges0, %sgen1 : i32
    %sgei2 = arith.addi %i, %cm1 : index
    %sgek2 = arith.cmpi sge, %sgei2, %j : index
    %sgen2 = arith.extui %sgek2 : i1 to i32
    %sges2 = arith.addi %sges1, %sgen2 : i32
    %sgei3 = arith.addi %i, %c0 : index
    %sgek3 = arith.cmpi sge, %sgei3, %j : index
    %sgen3 = arith.extui %sgek3 : i1 to i32
    %sges3 = arith.addi %sges2, %sgen3 : i32
    %sgei4 = arith.addi %i, %c1 : index
    %sgek4 = arith.cmpi sge, %sgei4, %j : index
    %sgen4 = arith.extui %sgek4 : i1 to i32
    %sges4 = arith.addi %sges3, %sgen4 : i32
    %sgei5 = arith.addi %i, %c2 : index
    %sgek5 = arith.cmpi sge, %sgei5, %j : index
    %sgen5 = arith.extui %sgek5 : i1 to i32
    %sges5 = arith.addi %sges4, %sgen5 : i32
    %sgei6 = arith.addi %i, %c3 : index
    %sgek6 = arith.cmpi sge, %sgei6, %j : index
    %sgen6 = arith.extui %sgek6 : i1 to i32
    %sges6 = arith.addi %sges5, %sgen6 : i32
    %sgei7 = arith.addi %i, %c4 : index
    %sgek7 = arith.cmpi sge, %sgei7, %j : index
    %sgen7 = arith.extui %sgek7 : i1 to i32
    %sges7 = arith.addi %sges6, %sgen7 : i32
    memref.store %sges7, %y[%c3] : memref<6xi32>
    %eqi0 = arith.addi %i, %cm3 : index
    %eqk0 = arith.cmpi eq, %eqi0, %j : index
    %eqn0 = arith.extui %eqk0 : i1 to i32
    %eqs0 = arith.addi %none, %eqn0 : i32
    %eqi1 = arith.addi %i, %cm2 : index
    %eqk1 = arith.cmpi eq, %eqi1, %j : index
    %eqn1 = arith.extui %eqk1 : i1 to i32
    %eqs1 = arith.addi %eqs0, %eqn1 : i32
    %eqi2 = arith.addi %i, %cm1 : index
    %eqk2 = arith.cmpi eq, %eqi2, %j : index
    %eqn2 = arith.extui %eqk2 : i1 to i32
    %eqs2 = arith.addi %eqs1, %eqn2 : i32
    %eqi3 = arith.addi %i, %c0 : index
    %eqk3 = arith.cmpi eq, %eqi3, %j : index
    %eqn3 = arith.extui %eqk3 : i1 to i32
    %eqs3 = arith.addi %eqs2, %eqn3 : i32
    %eqi4 = arith.addi %i, %c1 : index
    %eqk4 = arith.cmpi eq, %eqi4, %j : index
    %eqn4 = arith.extui %eqk4 : i1 to i32
    %eqs4 = arith.addi %eqs3, %eqn4 : i32
    %eqi5 = arith.addi %i, %c2 : index
    %eqk5 = arith.cmpi eq, %eqi5, %j : index
    %eqn5 = arith.extui %eqk5 : i1 to i32
    %eqs5 = arith.addi %eqs4, %eqn5 : i32
    %eqi6 = arith.addi %i, %c3 : index
    %eqk6 = arith.cmpi eq, %eqi6, %j : index
    %eqn6 = arith.extui %eqk6 : i1 to i32
    %eqs6 = arith.addi %eqs5, %eqn6 : i32
    %eqi7 = arith.addi %i, %c4 : index
    %eqk7 = arith.cmpi eq, %eqi7, %j : index
    %eqn7 = arith.extui %eqk7 : i1 to i32
    %eqs7 = arith.addi %eqs6, %eqn7 : i32
    memref.store %eqs7, %y[%c4] : memref<6xi32>
    %nei0 = arith.addi %i, %cm3 : index
    %nek0 = arith.cmpi ne, %nei0, %j : index
    %nen0 = arith.extui %nek0 : i1 to i32
    %nes0 = arith.addi %none, %nen0 : i32
    %nei1 = arith.addi %i, %cm2 : index
    %nek1 = arith.cmpi ne, %nei1, %j : index
    %nen1 = arith.extui %nek1 : i1 to i32
    %nes1 = arith.addi %nes0, %nen1 : i32
    %nei2 = arith.addi %i, %cm1 : index
    %nek2 = arith.cmpi ne, %nei2, %j : index
    %nen2 = arith.extui %nek2 : i1 to i32
    %nes2 = arith.addi %nes1, %nen2 : i32
    %nei3 = arith.addi %i, %c0 : index
    %nek3 = arith.cmpi ne, %nei3, %j : index
    %nen3 = arith.extui %nek3 : i1 to i32
    %nes3 = arith.addi %nes2, %nen3 : i32
    %nei4 = arith.addi %i, %c1 : index
    %nek4 = arith.cmpi ne, %nei4, %j : index
    %nen4 = arith.extui %nek4 : i1 to i32
    %nes4 = arith.addi %nes3, %nen4 : i32
    %nei5 = arith.addi %i, %c2 : index
    %nek5 = arith.cmpi ne, %nei5, %j : index
    %nen5 = arith.extui %nek5 : i1 to i32
    %nes5 = arith.addi %nes4, %nen5 : i32
    %nei6 = arith.addi %i, %c3 : index
    %nek6 = arith.cmpi ne, %nei6, %j : index
    %nen6 = arith.extui %nek6 : i1 to i32
    %nes6 = arith.addi %nes5, %nen6 : i32
    %nei7 = arith.addi %i, %c4 : index
    %nek7 = arith.cmpi ne, %nei7, %j : index
    %nen7 = arith.extui %nek7 : i1 to i32
    %nes7 = arith.addi %nes6, %nen7 : i32
    memref.store %nes7, %y[%c5] : memref<6xi32>
    gpu.return
  }

  // A window asks for both limits of one distance, whichever way around. A bit
  // for each of i - 3 to i + 4 that is less than 5 behind j, and not in front of it.
  // CHECK-LABEL: gpu.func @window
  // CHECK-SAME: memref<1xi32>, %[[I:[a-z0-9]+]]: index, %[[J:[a-z0-9]+]]: index)
  // CHECK: %[[D:.*]] = arith.subi %[[I]], %[[J]] : index
  // CHECK: %[[N:.*]] = arith.select
  // CHECK-COUNT-16: arith.cmpi {{.*}}, %[[N]], %{{.*}} : i32
  // CHECK-NOT: arith.cmpi
  // RUN: %{window} --arg=i64=5 --arg=i64=5 | FileCheck %s --check-prefix=INSIDE
  // INSIDE: y: 248{{$}}
  // RUN: %{window} --arg=i64=11 --arg=i64=5 | FileCheck %s --check-prefix=EDGE
  // EDGE: y: 3{{$}}
  // RUN: %{window} --arg=i64=0 --arg=i64=1099511627776 | FileCheck %s --check-prefix=NONE
  // RUN: %{window} --arg=i64=1099511627776 --arg=i64=0 | FileCheck %s --check-prefix=NONE
  // RUN: %{window} --arg=i64=4294967296 --arg=i64=0 | FileCheck %s --check-prefix=NONE
  // NONE: y: 0{{$}}
  gpu.func @window(%y: memref<1xi32>, %i: index, %j: index) kernel {
    %none = arith.constant 0 : i32
    %cm3 = arith.constant -3 : index
    %cm2 = arith.constant -2 : index
    %cm1 = arith.constant -1 : index
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %i0 = arith.addi %i, %cm3 : index
    %m0 = arith.addi %i0, %c1 : index
    %d0 = arith.subi %i0, %j : index
    %near0 = arith.cmpi slt, %d0, %c5 : index
    %past0 = arith.cmpi sge, %i0, %j : index
    %keep0 = arith.andi %past0, %near0 : i1
    %bit0 = arith.constant 1 : i32
    %n0 = arith.select %keep0, %bit0, %none : i32
    %s0 = arith.addi %none, %n0 : i32
    %i1 = arith.addi %i, %cm2 : index
    %m1 = arith.addi %i1, %c1 : index
    %d1 = arith.subi %i1, %j : index
    %near1 = arith.cmpi sle, %d1, %c4 : index
    %past1 = arith.cmpi sle, %j, %i1 : index
    %keep1 = arith.andi %past1, %near1 : i1
    %bit1 = arith.constant 2 : i32
    %n1 = arith.select %keep1, %bit1, %none : i32
    %s1 = arith.addi %s0, %n1 : i32
    %i2 = arith.addi %i, %cm1 : index
    %m2 = arith.addi %i2, %c1 : index
    %d2 = arith.subi %i2, %j : index
    %near2 = arith.cmpi sge, %c4, %d2 : index
    %past2 = arith.cmpi sgt, %m2, %j : index
    %keep2 = arith.andi %past2, %near2 : i1
    %bit2 = arith.constant 4 : i32
    %n2 = arith.select %keep2, %bit2, %none : i32
    %s2 = arith.addi %s1, %n2 : i32
    %i3 = arith.addi %i, %c0 : index
    %m3 = arith.addi %i3, %c1 : index
    %d3 = arith.subi %i3, %j : index
    %near3 = arith.cmpi slt, %d3, %c5 : index
    %past3 = arith.cmpi slt, %j, %m3 : index
    %keep3 = arith.andi %past3, %near3 : i1
    %bit3 = arith.constant 8 : i32
    %n3 = arith.select %keep3, %bit3, %none : i32
    %s3 = arith.addi %s2, %n3 : i32
    %i4 = arith.addi %i, %c1 : index
    %m4 = arith.addi %i4, %c1 : index
    %d4 = arith.subi %i4, %j : index
    %near4 = arith.cmpi sle, %d4, %c4 : index
    %past4 = arith.cmpi sge, %i4, %j : index
    %keep4 = arith.andi %past4, %near4 : i1
    %bit4 = arith.constant 16 : i32
    %n4 = arith.select %keep4, %bit4, %none : i32
    %s4 = arith.addi %s3, %n4 : i32
    %i5 = arith.addi %i, %c2 : index
    %m5 = arith.addi %i5, %c1 : index
    %d5 = arith.subi %i5, %j : index
    %near5 = arith.cmpi sge, %c4, %d5 : index
    %past5 = arith.cmpi sle, %j, %i5 : index
    %keep5 = arith.andi %past5, %near5 : i1
    %bit5 = arith.constant 32 : i32
    %n5 = arith.select %keep5, %bit5, %none : i32
    %s5 = arith.addi %s4, %n5 : i32
    %i6 = arith.addi %i, %c3 : index
    %m6 = arith.addi %i6, %c1 : index
    %d6 = arith.subi %i6, %j : index
    %near6 = arith.cmpi slt, %d6, %c5 : index
    %past6 = arith.cmpi sgt, %m6, %j : index
    %keep6 = arith.andi %past6, %near6 : i1
    %bit6 = arith.constant 64 : i32
    %n6 = arith.select %keep6, %bit6, %none : i32
    %s6 = arith.addi %s5, %n6 : i32
    %i7 = arith.addi %i, %c4 : index
    %m7 = arith.addi %i7, %c1 : index
    %d7 = arith.subi %i7, %j : index
    %near7 = arith.cmpi sgt, %c5, %d7 : index
    %past7 = arith.cmpi slt, %j, %m7 : index
    %keep7 = arith.andi %past7, %near7 : i1
    %bit7 = arith.constant 128 : i32
    %n7 = arith.select %keep7, %bit7, %none : i32
    %s7 = arith.addi %s6, %n7 : i32
    memref.store %s7, %y[%c0] : memref<1xi32>
    gpu.return
  }

  // The first compare decides which way the distance is.
  // CHECK-LABEL: gpu.func @turned
  // CHECK-SAME: memref<1xi32>, %[[I:[a-z0-9]+]]: index, %[[J:[a-z0-9]+]]: index)
  // CHECK: %[[D:.*]] = arith.subi %[[J]], %[[I]] : index
  // CHECK: %[[N:.*]] = arith.select
  // CHECK-COUNT-16: arith.cmpi {{.*}}, %[[N]], %{{.*}} : i32
  // CHECK-NOT: arith.cmpi
  // RUN: %{turned} --arg=i64=5 --arg=i64=5 | FileCheck %s --check-prefix=INSIDE
  // RUN: %{turned} --arg=i64=11 --arg=i64=5 | FileCheck %s --check-prefix=EDGE
  // RUN: %{turned} --arg=i64=0 --arg=i64=1099511627776 | FileCheck %s --check-prefix=NONE
  gpu.func @turned(%y: memref<1xi32>, %i: index, %j: index) kernel {
    %none = arith.constant 0 : i32
    %cm3 = arith.constant -3 : index
    %cm2 = arith.constant -2 : index
    %cm1 = arith.constant -1 : index
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %i0 = arith.addi %i, %cm3 : index
    %m0 = arith.addi %i0, %c1 : index
    %d0 = arith.subi %i0, %j : index
    %near0 = arith.cmpi sgt, %c5, %d0 : index
    %past0 = arith.cmpi sge, %i0, %j : index
    %keep0 = arith.andi %past0, %near0 : i1
    %bit0 = arith.constant 1 : i32
    %n0 = arith.select %keep0, %bit0, %none : i32
    %s0 = arith.addi %none, %n0 : i32
    %i1 = arith.addi %i, %cm2 : index
    %m1 = arith.addi %i1, %c1 : index
    %d1 = arith.subi %i1, %j : index
    %near1 = arith.cmpi sle, %d1, %c4 : index
    %past1 = arith.cmpi sle, %j, %i1 : index
    %keep1 = arith.andi %past1, %near1 : i1
    %bit1 = arith.constant 2 : i32
    %n1 = arith.select %keep1, %bit1, %none : i32
    %s1 = arith.addi %s0, %n1 : i32
    %i2 = arith.addi %i, %cm1 : index
    %m2 = arith.addi %i2, %c1 : index
    %d2 = arith.subi %i2, %j : index
    %near2 = arith.cmpi sge, %c4, %d2 : index
    %past2 = arith.cmpi sgt, %m2, %j : index
    %keep2 = arith.andi %past2, %near2 : i1
    %bit2 = arith.constant 4 : i32
    %n2 = arith.select %keep2, %bit2, %none : i32
    %s2 = arith.addi %s1, %n2 : i32
    %i3 = arith.addi %i, %c0 : index
    %m3 = arith.addi %i3, %c1 : index
    %d3 = arith.subi %i3, %j : index
    %near3 = arith.cmpi slt, %d3, %c5 : index
    %past3 = arith.cmpi slt, %j, %m3 : index
    %keep3 = arith.andi %past3, %near3 : i1
    %bit3 = arith.constant 8 : i32
    %n3 = arith.select %keep3, %bit3, %none : i32
    %s3 = arith.addi %s2, %n3 : i32
    %i4 = arith.addi %i, %c1 : index
    %m4 = arith.addi %i4, %c1 : index
    %d4 = arith.subi %i4, %j : index
    %near4 = arith.cmpi sle, %d4, %c4 : index
    %past4 = arith.cmpi sge, %i4, %j : index
    %keep4 = arith.andi %past4, %near4 : i1
    %bit4 = arith.constant 16 : i32
    %n4 = arith.select %keep4, %bit4, %none : i32
    %s4 = arith.addi %s3, %n4 : i32
    %i5 = arith.addi %i, %c2 : index
    %m5 = arith.addi %i5, %c1 : index
    %d5 = arith.subi %i5, %j : index
    %near5 = arith.cmpi sge, %c4, %d5 : index
    %past5 = arith.cmpi sle, %j, %i5 : index
    %keep5 = arith.andi %past5, %near5 : i1
    %bit5 = arith.constant 32 : i32
    %n5 = arith.select %keep5, %bit5, %none : i32
    %s5 = arith.addi %s4, %n5 : i32
    %i6 = arith.addi %i, %c3 : index
    %m6 = arith.addi %i6, %c1 : index
    %d6 = arith.subi %i6, %j : index
    %near6 = arith.cmpi slt, %d6, %c5 : index
    %past6 = arith.cmpi sgt, %m6, %j : index
    %keep6 = arith.andi %past6, %near6 : i1
    %bit6 = arith.constant 64 : i32
    %n6 = arith.select %keep6, %bit6, %none : i32
    %s6 = arith.addi %s5, %n6 : i32
    %i7 = arith.addi %i, %c4 : index
    %m7 = arith.addi %i7, %c1 : index
    %d7 = arith.subi %i7, %j : index
    %near7 = arith.cmpi sgt, %c5, %d7 : index
    %past7 = arith.cmpi slt, %j, %m7 : index
    %keep7 = arith.andi %past7, %near7 : i1
    %bit7 = arith.constant 128 : i32
    %n7 = arith.select %keep7, %bit7, %none : i32
    %s7 = arith.addi %s6, %n7 : i32
    memref.store %s7, %y[%c0] : memref<1xi32>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @clamps
  // CHECK-NOT: arith.m{{.*}}si {{.*}} : index
  // CHECK-COUNT-8: arith.maxsi {{.*}} : i32
  // CHECK-NOT: arith.m{{.*}}si {{.*}} : index
  // RUN: %{clamps} --arg=i64=5 --arg=i64=5 | FileCheck %s --check-prefix=AROUND
  // AROUND: y: -2 -2 -1 0 1 2 3 3{{$}}
  // RUN: %{clamps} --arg=i64=2147483648 --arg=i64=0 | FileCheck %s --check-prefix=UPMOST
  // RUN: %{clamps} --arg=i64=1099511627776 --arg=i64=0 | FileCheck %s --check-prefix=UPMOST
  // UPMOST: y: 3 3 3 3 3 3 3 3{{$}}
  // RUN: %{clamps} --arg=i64=0 --arg=i64=2147483652 | FileCheck %s --check-prefix=LOWEST
  // LOWEST: y: -2 -2 -2 -2 -2 -2 -2 -2{{$}}
  gpu.func @clamps(%y: memref<8xi64>, %i: index, %j: index) kernel {
    %cm3 = arith.constant -3 : index
    %cm2 = arith.constant -2 : index
    %cm1 = arith.constant -1 : index
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %c6 = arith.constant 6 : index
    %c7 = arith.constant 7 : index
    %i0 = arith.addi %i, %cm3 : index
    %d0 = arith.subi %i0, %j : index
    %a0 = arith.maxsi %d0, %cm2 : index
    %b0 = arith.minsi %a0, %c3 : index
    %w0 = arith.index_cast %b0 : index to i64
    memref.store %w0, %y[%c0] : memref<8xi64>
    %i1 = arith.addi %i, %cm2 : index
    %d1 = arith.subi %i1, %j : index
    %a1 = arith.minsi %d1, %c3 : index
    %b1 = arith.maxsi %a1, %cm2 : index
    %w1 = arith.index_cast %b1 : index to i64
    memref.store %w1, %y[%c1] : memref<8xi64>
    %i2 = arith.addi %i, %cm1 : index
    %d2 = arith.subi %i2, %j : index
    %a2 = arith.maxsi %d2, %cm2 : index
    %b2 = arith.minsi %a2, %c3 : index
    %w2 = arith.index_cast %b2 : index to i64
    memref.store %w2, %y[%c2] : memref<8xi64>
    %i3 = arith.addi %i, %c0 : index
    %d3 = arith.subi %i3, %j : index
    %a3 = arith.minsi %d3, %c3 : index
    %b3 = arith.maxsi %a3, %cm2 : index
    %w3 = arith.index_cast %b3 : index to i64
    memref.store %w3, %y[%c3] : memref<8xi64>
    %i4 = arith.addi %i, %c1 : index
    %d4 = arith.subi %i4, %j : index
    %a4 = arith.maxsi %d4, %cm2 : index
    %b4 = arith.minsi %a4, %c3 : index
    %w4 = arith.index_cast %b4 : index to i64
    memref.store %w4, %y[%c4] : memref<8xi64>
    %i5 = arith.addi %i, %c2 : index
    %d5 = arith.subi %i5, %j : index
    %a5 = arith.minsi %d5, %c3 : index
    %b5 = arith.maxsi %a5, %cm2 : index
    %w5 = arith.index_cast %b5 : index to i64
    memref.store %w5, %y[%c5] : memref<8xi64>
    %i6 = arith.addi %i, %c3 : index
    %d6 = arith.subi %i6, %j : index
    %a6 = arith.maxsi %d6, %cm2 : index
    %b6 = arith.minsi %a6, %c3 : index
    %w6 = arith.index_cast %b6 : index to i64
    memref.store %w6, %y[%c6] : memref<8xi64>
    %i7 = arith.addi %i, %c4 : index
    %d7 = arith.subi %i7, %j : index
    %a7 = arith.minsi %d7, %c3 : index
    %b7 = arith.maxsi %a7, %cm2 : index
    %w7 = arith.index_cast %b7 : index to i64
    memref.store %w7, %y[%c7] : memref<8xi64>
    gpu.return
  }

  // One conversion of 64 bits. Up to 2^24 sums with constants are as exact.
  // CHECK-LABEL: gpu.func @conversions
  // CHECK: %[[F:.*]] = arith.sitofp %{{.*}} : i64 to f32
  // CHECK-NOT: arith.sitofp
  // CHECK-COUNT-7: arith.addf %[[F]], %{{.*}} : f32
  // RUN: %{conversions} --arg=i64=5 --arg=i64=7 --arg=f32=0 | FileCheck %s --check-prefix=SMALL
  // SMALL: y: -5 -4 -3 -2 -1 0 1 2{{$}}
  // RUN: %{conversions} --arg=i64=16777212 --arg=i64=0 --arg=f32=16777208 | FileCheck %s --check-prefix=WHOLE
  // WHOLE: y: 1 2 3 4 5 6 7 8{{$}}
  gpu.func @conversions(%y: memref<8xf32>, %i: index, %j: index, %less: f32) kernel {
    %cm3 = arith.constant -3 : index
    %cm2 = arith.constant -2 : index
    %cm1 = arith.constant -1 : index
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %c6 = arith.constant 6 : index
    %c7 = arith.constant 7 : index
    %i0 = arith.addi %i, %cm3 : index
    %d0 = arith.subi %i0, %j : index
    %w0 = arith.index_cast %d0 : index to i64
    %f0 = arith.sitofp %w0 : i64 to f32
    %g0 = arith.subf %f0, %less : f32
    memref.store %g0, %y[%c0] : memref<8xf32>
    %i1 = arith.addi %i, %cm2 : index
    %d1 = arith.subi %i1, %j : index
    %w1 = arith.index_cast %d1 : index to i64
    %f1 = arith.sitofp %w1 : i64 to f32
    %g1 = arith.subf %f1, %less : f32
    memref.store %g1, %y[%c1] : memref<8xf32>
    %i2 = arith.addi %i, %cm1 : index
    %d2 = arith.subi %i2, %j : index
    %w2 = arith.index_cast %d2 : index to i64
    %f2 = arith.sitofp %w2 : i64 to f32
    %g2 = arith.subf %f2, %less : f32
    memref.store %g2, %y[%c2] : memref<8xf32>
    %i3 = arith.addi %i, %c0 : index
    %d3 = arith.subi %i3, %j : index
    %w3 = arith.index_cast %d3 : index to i64
    %f3 = arith.sitofp %w3 : i64 to f32
    %g3 = arith.subf %f3, %less : f32
    memref.store %g3, %y[%c3] : memref<8xf32>
    %i4 = arith.addi %i, %c1 : index
    %d4 = arith.subi %i4, %j : index
    %w4 = arith.index_cast %d4 : index to i64
    %f4 = arith.sitofp %w4 : i64 to f32
    %g4 = arith.subf %f4, %less : f32
    memref.store %g4, %y[%c4] : memref<8xf32>
    %i5 = arith.addi %i, %c2 : index
    %d5 = arith.subi %i5, %j : index
    %w5 = arith.index_cast %d5 : index to i64
    %f5 = arith.sitofp %w5 : i64 to f32
    %g5 = arith.subf %f5, %less : f32
    memref.store %g5, %y[%c5] : memref<8xf32>
    %i6 = arith.addi %i, %c3 : index
    %d6 = arith.subi %i6, %j : index
    %w6 = arith.index_cast %d6 : index to i64
    %f6 = arith.sitofp %w6 : i64 to f32
    %g6 = arith.subf %f6, %less : f32
    memref.store %g6, %y[%c6] : memref<8xf32>
    %i7 = arith.addi %i, %c4 : index
    %d7 = arith.subi %i7, %j : index
    %w7 = arith.index_cast %d7 : index to i64
    %f7 = arith.sitofp %w7 : i64 to f32
    %g7 = arith.subf %f7, %less : f32
    memref.store %g7, %y[%c7] : memref<8xf32>
    gpu.return
  }
}

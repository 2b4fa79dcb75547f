// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Every rule of the attributes of functions, broken once; the label before a
// function is that of the rule in docs/spec.md.

// names_c1
// expected-error@below {{argument 0: 'attn.name' must be a string that is not empty, got 1 : i64}}
func.func private @negative_name_not_string(tensor<4xf32> {attn.name = 1})

// -----

// names_c1
// expected-error@below {{argument 1: 'attn.name' must be a string that is not empty, got ""}}
func.func private @negative_name_empty(tensor<4xf32>, tensor<4xf32> {attn.name = ""})

// -----

// names_c2
// expected-error@below {{argument 1: 'attn.name' "q" is taken already}}
func.func private @negative_name_twice(tensor<4xf32> {attn.name = "q"}, tensor<4xf32> {attn.name = "q"})

// -----

// names_c2
// expected-error@below {{result 0: 'attn.name' "q" is taken already}}
func.func private @negative_name_of_argument_and_result(tensor<4xf32> {attn.name = "q"}) -> (tensor<4xf32> {attn.name = "q"})

// -----

// names_c2
// expected-error@below {{result 1: 'attn.name' "o" is taken already}}
func.func private @negative_name_of_results() -> (tensor<4xf32> {attn.name = "o"}, tensor<4xf32> {attn.name = "o"})

// -----

// dims_c1
// expected-error@below {{argument 0: 'attn.dims' must be an array of names on a ranked tensor or a view, got "N" on 'tensor<4xf32>'}}
func.func private @negative_dims_not_array(tensor<4xf32> {attn.dims = "N"})

// -----

// dims_c1
// expected-error@below {{argument 0: 'attn.dims' must be an array of names on a ranked tensor or a view, got ["N", 4] on 'tensor<4x4xf32>'}}
func.func private @negative_dims_not_names(tensor<4x4xf32> {attn.dims = ["N", 4]})

// -----

// dims_c1
// expected-error@below {{'attn.dims' must be an array of names}}
func.func private @negative_dims_empty_name(tensor<4xf32> {attn.dims = [""]})

// -----

// dims_c1
// expected-error@below {{argument 0: 'attn.dims' must be an array of names on a ranked tensor or a view, got ["N"] on 'index'}}
func.func private @negative_dims_of_scalar(index {attn.dims = ["N"]})

// -----

// dims_c1
// expected-error@below {{got ["N"] on 'tensor<*xf32>'}}
func.func private @negative_dims_of_unranked(tensor<*xf32> {attn.dims = ["N"]})

// -----

// dims_c2
// expected-error@below {{argument 0: 'attn.dims' must name 2 dimensions, got 1}}
func.func private @negative_dims_too_few(tensor<4x4xf32> {attn.dims = ["N"]})

// -----

// dims_c2
// expected-error@below {{result 0: 'attn.dims' must name 1 dimensions, got 2}}
func.func private @negative_dims_too_many_on_result() -> (tensor<4xf32> {attn.dims = ["N", "D"]})

// -----

// dims_c3
// expected-error@below {{argument 0: dimension "N" is 4 here and "N" is 6 in argument 0}}
func.func private @negative_dims_contradict_in_one(tensor<4x6xf32> {attn.dims = ["N", "N"]})

// -----

// dims_c3
// expected-error@below {{argument 2: dimension "D" is 6 here and "D" is 4 in argument 0}}
func.func private @negative_dims_contradict_across_arguments(tensor<?x4xf32> {attn.dims = ["N", "D"]}, tensor<?xf32>, tensor<6xf32> {attn.dims = ["D"]})

// -----

// dims_c3
// expected-error@below {{result 0: dimension "N" is 4 here and "N" is 8 in argument 0}}
func.func private @negative_dims_contradict_in_result(memref<8xf32> {attn.dims = ["N"]}) -> (tensor<4xf32> {attn.dims = ["N"]})

// -----

// dims_c3
// expected-error@below {{result 1: dimension "N" is 5 here and "N" is 4 in result 0}}
func.func private @negative_dims_contradict_across_results() -> (tensor<4xf32> {attn.dims = ["N"]}, tensor<5xf32> {attn.dims = ["N"]})

// -----

// dims_c3
// expected-error@below {{argument 1: dimension "G+1" is 4 here and "G" is 4 in argument 0}}
func.func private @negative_dims_contradict_by_one(tensor<4xf32> {attn.dims = ["G"]}, tensor<4xi32> {attn.dims = ["G+1"]})

// -----

// What stands behind the plus is no number, so these are other names.
func.func private @dims_with_a_plus(tensor<4xf32> {attn.dims = ["G"]}, tensor<9xi32> {attn.dims = ["G+x"]}, tensor<8xi32> {attn.dims = ["G+"]}, tensor<7xi32> {attn.dims = ["G+0"]}, tensor<5xi32> {attn.dims = ["G+1"]}, tensor<14xi32> {attn.dims = ["G+10"]})

// -----

// dims_c4
// expected-error@below {{argument 0: dimension "G+2" must be at least 2, got 1}}
func.func private @negative_dims_smaller_than_more(tensor<1xi32> {attn.dims = ["G+2"]})

// -----

// fill_c1
// expected-error@below {{argument 0: 'attn.fill' must be "normal", "uniform", "decay", "below" or "segments" and a number or dimension, "offsets" of a dimension, or "one of" some numbers, got "ones"}}
func.func private @negative_fill_unknown(tensor<4xf32> {attn.fill = "ones"})

// -----

// fill_c1
// expected-error@below {{argument 0: 'attn.fill' must be "normal", "uniform", "decay", "below" or "segments" and a number or dimension, "offsets" of a dimension, or "one of" some numbers, got unit}}
func.func private @negative_fill_not_string(tensor<4xf32> {attn.fill})

// -----

// fill_c2
// expected-error@below {{argument 0: 'attn.fill' "below 5" needs integers of more than one bit, got 'tensor<4xf32>'}}
func.func private @negative_fill_bound_of_floats(tensor<4xf32> {attn.fill = "below 5"})

// -----

// fill_c2
// expected-error@below {{argument 0: 'attn.fill' "below 5" needs integers of more than one bit, got 'tensor<4xi1>'}}
func.func private @negative_fill_bound_of_bits(tensor<4xi1> {attn.fill = "below 5"})

// -----

// fill_c6
// expected-error@below {{argument 0: 'attn.fill' "one of -1 x" needs numbers with one space between them, and floats, got 'tensor<4xf32>'}}
func.func private @negative_fill_no_number(tensor<4xf32> {attn.fill = "one of -1 x"})

// -----

// fill_c6
// expected-error@below {{argument 0: 'attn.fill' "one of " needs numbers}}
func.func private @negative_fill_no_numbers(tensor<4xf32> {attn.fill = "one of "})

// -----

// fill_c6
// expected-error@below {{argument 0: 'attn.fill' "one of 1 2" needs numbers with one space between them, and floats, got 'tensor<4xi32>'}}
func.func private @negative_fill_numbers_of_integers(tensor<4xi32> {attn.fill = "one of 1 2"})

// -----

// fill_c2
// expected-error@below {{argument 0: 'attn.fill' "segments 5" needs integers of more than one bit, got 'tensor<4xf32>'}}
func.func private @negative_fill_segments_of_floats(tensor<4xf32> {attn.fill = "segments 5"})

// -----

// fill_c3
// expected-error@below {{argument 0: 'attn.fill' "segments -1" must name a positive number or a dimension of an argument}}
func.func private @negative_fill_segments_negative(tensor<4xi32> {attn.fill = "segments -1"})

// -----

// fill_c3
// expected-error@below {{argument 0: 'attn.fill' "below 0" must name a positive number or a dimension of an argument}}
func.func private @negative_fill_bound_zero(tensor<4xi32> {attn.fill = "below 0"})

// -----

// fill_c3
// expected-error@below {{argument 0: 'attn.fill' "below M" must name a positive number or a dimension of an argument}}
func.func private @negative_fill_bound_unknown(tensor<?xi32> {attn.dims = ["N"], attn.fill = "below M"}, tensor<4xf32>)

// -----

// fill_c4
// expected-error@below {{argument 0: 'attn.fill' "offsets N" needs one dimension of i32 or i64, got 'tensor<4xi16>'}}
func.func private @negative_fill_offsets_i16(tensor<4xi16> {attn.fill = "offsets N"}, tensor<?xf32> {attn.dims = ["N"]})

// -----

// fill_c4
// expected-error@below {{argument 0: 'attn.fill' "offsets N" needs one dimension of i32 or i64, got 'tensor<4x4xi32>'}}
func.func private @negative_fill_offsets_matrix(tensor<4x4xi32> {attn.fill = "offsets N"}, tensor<?xf32> {attn.dims = ["N"]})

// -----

// fill_c5
// expected-error@below {{argument 0: 'attn.fill' "offsets M" must name a dimension of an argument}}
func.func private @negative_fill_offsets_unknown(tensor<4xi32> {attn.fill = "offsets M"}, tensor<?xf32> {attn.dims = ["N"]})

// -----

// result_c1
// expected-error@below {{argument 0: 'attn.result' must be a unit attribute on a memref, got unit on 'tensor<4xf32>'}}
func.func private @negative_result_on_tensor(tensor<4xf32> {attn.result})

// -----

// result_c1
// expected-error@below {{argument 0: 'attn.result' must be a unit attribute on a memref, got true on 'memref<4xf32>'}}
func.func private @negative_result_not_unit(memref<4xf32> {attn.result = true})

// -----

// ports_c1
// expected-error@below {{argument 0: unknown attribute 'attn.dim', expected 'attn.name', 'attn.dims', 'attn.fill' or 'attn.result'}}
func.func private @negative_argument_attribute_misspelt(tensor<4xf32> {attn.dim = ["N"]})

// -----

// ports_c1
// expected-error@below {{result 0: unknown attribute 'attn.fill', expected 'attn.name' or 'attn.dims'}}
func.func private @negative_result_attribute_fill() -> (tensor<4xf32> {attn.fill = "normal"})

// -----

// defaults_c1
// expected-error@below {{'attn.defaults' must map dimension names to positive 64-bit sizes, got [4]}}
func.func private @negative_defaults_not_dictionary() attributes {attn.defaults = [4]}

// -----

// defaults_c1
// expected-error@below {{'attn.defaults' must map dimension names to positive 64-bit sizes, got {B = 0 : i64}}}
func.func private @negative_defaults_zero() attributes {attn.defaults = {B = 0}}

// -----

// defaults_c1
// expected-error@below {{'attn.defaults' must map dimension names to positive 64-bit sizes, got {B = "4"}}}
func.func private @negative_defaults_string() attributes {attn.defaults = {B = "4"}}

// -----

// defaults_c1
// expected-error@below {{'attn.defaults' must map dimension names to positive 64-bit sizes, got {B = 18446744073709551616 : i128}}}
func.func private @negative_defaults_i128() attributes {attn.defaults = {B = 18446744073709551616 : i128}}

// -----

// defaults_c2
// expected-error@below {{cannot carry 'attn.defaults', expected a function}}
module @negative_defaults_on_module attributes {attn.defaults = {B = 1}} {
}

// -----

// defaults_c3
// expected-error@below {{unknown attribute 'attn.default', expected 'attn.defaults'}}
func.func private @negative_defaults_misspelt() attributes {attn.default = {B = 1}}

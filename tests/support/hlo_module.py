"""A module of XLA's in the text form that `experimental_get_compiler_ir` gives, shortened by hand.

The entry has a fusion of three instructions, a product, a loop whose body adds once, and a call of a tuple. What moves
no data (parameters, constants, tuples and their elements, bitcasts) is no work.
"""

HLO = """\
HloModule a_inference_step_42__.9, is_scheduled=true, entry_computation_layout={(f32[8,8]{1,0})->(f32[8,8]{1,0})}

%fused_computation (param_0: f32[8,8]) -> f32[8,8] {
  %param_0 = f32[8,8]{1,0} parameter(0)
  %constant.3 = f32[] constant(2)
  %broadcast.1 = f32[8,8]{1,0} broadcast(f32[] %constant.3), dimensions={}
  %multiply.2 = f32[8,8]{1,0} multiply(f32[8,8]{1,0} %param_0, f32[8,8]{1,0} %broadcast.1)
  ROOT %sine.1 = f32[8,8]{1,0} sine(f32[8,8]{1,0} %multiply.2), metadata={op_type="Sin" op_name="Sin"}
}

%body (arg: (s32[], f32[8,8])) -> (s32[], f32[8,8]) {
  %arg = (s32[], /*index=1*/f32[8,8]{1,0}) parameter(0)
  %get-tuple-element.1 = f32[8,8]{1,0} get-tuple-element((s32[], f32[8,8]{1,0}) %arg), index=1
  %add.1 = f32[8,8]{1,0} add(f32[8,8]{1,0} %get-tuple-element.1, f32[8,8]{1,0} %get-tuple-element.1)
  ROOT %tuple.1 = (s32[], f32[8,8]{1,0}) tuple(s32[] %get-tuple-element.1, f32[8,8]{1,0} %add.1)
}

%condition (arg.1: (s32[], f32[8,8])) -> pred[] {
  %arg.1 = (s32[], f32[8,8]{1,0}) parameter(0)
  %get-tuple-element.2 = s32[] get-tuple-element((s32[], f32[8,8]{1,0}) %arg.1), index=0
  %constant.4 = s32[] constant(3)
  ROOT %compare.1 = pred[] compare(s32[] %get-tuple-element.2, s32[] %constant.4), direction=LT
}

ENTRY %a_inference_step_42__.9 (arg0.1: f32[8,8]) -> (f32[8,8]) {
  %arg0.1 = f32[8,8]{1,0} parameter(0), parameter_replication={false}
  %fusion = f32[8,8]{1,0} fusion(f32[8,8]{1,0} %arg0.1), kind=kLoop, calls=%fused_computation
  %dot.1 = f32[8,8]{1,0} dot(f32[8,8]{1,0} %fusion, f32[8,8]{1,0} %fusion), lhs_contracting_dims={1}
  %constant.5 = s32[] constant(0)
  %tuple.2 = (s32[], f32[8,8]{1,0}) tuple(s32[] %constant.5, f32[8,8]{1,0} %dot.1)
  %while.1 = (s32[], /*index=1*/f32[8,8]{1,0}) while((s32[], f32[8,8]{1,0}) %tuple.2), condition=%condition, body=%body
  %get-tuple-element.3 = f32[8,8]{1,0} get-tuple-element((s32[], f32[8,8]{1,0}) %while.1), index=1
  ROOT %tuple.3 = (f32[8,8]{1,0}) tuple(f32[8,8]{1,0} %get-tuple-element.3)
}
"""
NODES = {"graph_nodes": 8.0, "kernels": 5.0}
"""Three in the fusion, one in each of body and condition, three in the entry; the fusion is one kernel."""


def counted() -> dict[str, float]:
    """Return what TensorFlow's adapter counts in `HLO`. Imports TensorFlow."""
    from joulemark.suite.trial.frameworks.tensorflow_counts import hlo_counts

    return hlo_counts(HLO)

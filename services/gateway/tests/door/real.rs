//! A service as the framework makes them, for each kind of call.

use axum::body::Body;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, stream};
use http::{Request as HttpRequest, Response as HttpResponse};
use tonic::server::{
    ClientStreamingService, Grpc, ServerStreamingService, StreamingService, UnaryService,
};
use tonic::{Request, Response, Status, Streaming};

use super::{BOTH, Codec, DOWN, UP};

type Texts = BoxStream<'static, Result<String, Status>>;
type Answered<T> = std::pin::Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

struct Call;

impl UnaryService<String> for Call {
    type Response = String;
    type Future = Answered<String>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}

impl ClientStreamingService<String> for Call {
    type Response = String;
    type Future = Answered<String>;

    fn call(&mut self, request: Request<Streaming<String>>) -> Self::Future {
        Box::pin(async move {
            let mut texts = request.into_inner();
            let mut count = 0;
            while texts.message().await?.is_some() {
                count += 1;
            }
            Ok(Response::new(format!("{count} texts")))
        })
    }
}

impl ServerStreamingService<String> for Call {
    type Response = String;
    type ResponseStream = Texts;
    type Future = Answered<Texts>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        Box::pin(async move {
            let text = request.into_inner();
            let texts = (0..3).map(move |number| Ok(format!("{text} {number}")));
            let end = stream::iter([Err(Status::data_loss("the end"))]);
            Ok(Response::new(stream::iter(texts).chain(end).boxed()))
        })
    }
}

impl StreamingService<String> for Call {
    type Response = String;
    type ResponseStream = Texts;
    type Future = Answered<Texts>;

    fn call(&mut self, request: Request<Streaming<String>>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner().boxed())) })
    }
}

pub(super) async fn answer(request: HttpRequest<Body>) -> HttpResponse<Body> {
    let mut grpc = Grpc::new(Codec::default());
    let answered = match request.uri().path() {
        UP => grpc.client_streaming(Call, request).await,
        DOWN => grpc.server_streaming(Call, request).await,
        BOTH => grpc.streaming(Call, request).await,
        _ => grpc.unary(Call, request).await,
    };
    answered.map(Body::new)
}
